"""A kind of rule is one file and a word in a table: everything else asks the rule."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import yaml

from shardgate.core.rules import Rule

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "src" / "shardgate"
KINDS = {kind.__name__ for kind in get_args(Rule)}


def named_outside_of_annotations(tree: ast.AST, names: set[str]) -> Iterator[ast.Name]:
    annotations = [
        part
        for node in ast.walk(tree)
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if part is not None
    ]
    typed = {id(node) for annotation in annotations for node in ast.walk(annotation)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in names and id(node) not in typed:
            yield node


MODULES = [path for path in SOURCE.rglob("*.py") if path.parent != SOURCE / "core" / "rules"]


def test_no_module_asks_of_what_kind_a_rule_is() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{name.lineno}: {name.id}"
        for path in MODULES
        for name in named_outside_of_annotations(ast.parse(path.read_text()), KINDS)
    ]
    assert found == []


def test_kinds_do_not_ask_it_of_each_other() -> None:
    for path in (SOURCE / "core" / "rules").glob("[!_]*.py"):
        tree = ast.parse(path.read_text())
        own = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        assert [*named_outside_of_annotations(tree, KINDS - own)] == [], path.name


@pytest.mark.parametrize("code", ["isinstance(rule, One | Divide)", "_OWNED = (One, Divide)", "type(rule) is Gather"])
def test_the_search_finds_what_it_is_for(code: str) -> None:
    assert [*named_outside_of_annotations(ast.parse(f"def f(rule: Place) -> One:\n    {code}"), KINDS)]


SEVENTH = '''\
"""The rule `named`: a header of the request names the shard."""

from collections.abc import Iterator

from shardgate.core.contracts import Known
from shardgate.core.errors import UnknownKeyError
from shardgate.core.http import Request
from shardgate.core.plan.key import read_key
from shardgate.core.plan.plan import ToOne
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import BaseRule, Clock, Plan, Route, Variables


class Named(BaseRule, frozen=True, kw_only=True, tag="named"):
    """The shard that the header names."""

    header: str

    def plan(self, request: Request, route: Route, variables: Variables, known: Known, clock: Clock) -> Plan:
        name = read_key(f"header.{self.header}", request, variables) or ""
        if name not in known.topology.shards:
            raise UnknownKeyError(f"no shard is named {name!r}")
        return ToOne(route, name, name)

    def describe(self, route: Route) -> str:
        return f"named: the shard that the header {self.header} names"

    def mistakes(self, method: str, template: str) -> Iterator[Mistake]:
        if not self.header:
            yield Mistake("header", "it names no header", "write it as `X-Shard`")
'''

SERVED = """\
import asyncio, sys
from contextlib import AsyncExitStack
from pathlib import Path
from tests.cluster import reply, running_gateway, running_shard

async def main():
    async with AsyncExitStack() as stack:
        shards = {}
        for name in ("north", "south"):
            said = reply(name)
            shard = await stack.enter_async_context(running_shard(lambda asked, said=said: said))
            shards[name] = shard.url
        config = {"shards": shards, "rules": {"GET /x": {"rule": "named", "header": "X-Shard"}}}
        gateway = await stack.enter_async_context(running_gateway(config, Path(sys.argv[1])))
        for name in ("south", "north", "west"):
            answer = await gateway.get("/x", headers={"X-Shard": name})
            print(answer.status_code, answer.text if answer.status_code == 200 else answer.json()["code"])

asyncio.run(main())
"""


def test_a_seventh_kind_is_planned_explained_checked_and_served(tmp_path: Path) -> None:
    house = tmp_path / "src" / "shardgate"
    shutil.copytree(SOURCE, house, ignore=shutil.ignore_patterns("__pycache__"))
    (house / "core" / "rules" / "named.py").write_text(SEVENTH)
    table = house / "core" / "rules" / "__init__.py"
    line = "from shardgate.core.rules.named import Named\nRule = Named | "
    table.write_text(re.sub(r"^Rule = ", line, table.read_text(), flags=re.MULTILINE))

    def run(*words: str) -> str:
        path = os.pathsep.join([str(tmp_path / "src"), str(ROOT)])
        ran = subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )
        return ran.stdout + ran.stderr

    def configured(rule: dict[str, str]) -> None:
        shards = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}
        (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump({"shards": shards, "rules": {"GET /x": rule}}))

    configured({"rule": "named", "header": "X-Shard"})
    assert "1 operations served" in run("-m", "shardgate", "check")
    said = run("-m", "shardgate", "explain", "GET", "/x", "-H", "X-Shard: south")
    assert "named: the shard that the header X-Shard names" in said
    assert "south owns the key 'south'" in said
    assert "no shard is named 'west'" in run("-m", "shardgate", "explain", "GET", "/x", "-H", "X-Shard: west")
    configured({"rule": "named", "header": ""})
    assert "rules.GET /x.header: it names no header" in run("-m", "shardgate", "check")
    configured({"rule": "name", "header": "X"})
    assert "did you mean `named`?" in run("-m", "shardgate", "check")
    served = run("-c", SERVED, str(tmp_path))
    assert served.splitlines()[:3] == ["200 south", "200 north", "404 SG1011"], served
