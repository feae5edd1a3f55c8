"""Every compiled module is fit for mypyc: docs/decisions/0054 says what mypyc would change silently."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from shardgate.core.http import Reply
from shardgate.net.upstream.call import Carrier

ROOT = Path(__file__).resolve().parents[2]
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
MODULES: list[str] = HOOK["custom"]["modules"]
BASES = {"Value": {"frozen"}, "LightValue": {"frozen", "gc"}}


def classes_of(module: str) -> list[ast.ClassDef]:
    tree = ast.parse((ROOT / "src" / "shardgate" / f"{module}.py").read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_mypyc_takes_all_modules_and_loses_no_default(tmp_path: Path) -> None:
    """It refuses what mypy takes, and of a default that is no literal it only warns: compiled, the member has none."""
    shutil.copytree(ROOT / "src" / "shardgate", tmp_path / "shardgate")
    words = [sys.executable, "-c", "import sys; from mypyc.build import mypycify; mypycify(sys.argv[1:])"]
    files = [f"shardgate/{module}.py" for module in MODULES]
    done = subprocess.run([*words, *files], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Unsupported default" not in done.stdout + done.stderr


RAW = "class Raw(bytes):\n"
RAW_AS_IT_IS = """class Raw:
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __len__(self) -> int: ...
"""


def mistaken_for_bytes(folder: Path, *sources: Path) -> list[str]:
    """What mypy says of these sources, where a `msgspec.Raw` is no bytes."""
    stubs = folder / "stubs" / "msgspec"
    shutil.copytree(Path(msgspec.__file__).parent, stubs, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    stub = stubs / "__init__.pyi"
    text = stub.read_text()
    assert RAW in text, "msgspec says something else of Raw now"
    stub.write_text(text.replace(RAW, RAW_AS_IT_IS))
    words = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={folder}/cache", *map(str, sources)]
    environment = {**os.environ, "MYPYPATH": f"{stubs.parent}{os.pathsep}{ROOT / 'src'}"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "checked" in done.stdout, done.stdout + done.stderr
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    return [line for line in errors if not (ROOT / line.partition(":")[0]).is_relative_to(stubs)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_raw_value_is_given_where_bytes_are_expected(tmp_path: Path) -> None:
    """msgspec tells mypy that a Raw is bytes, which it is not: interpreted it passes, compiled it raises TypeError."""
    mistake = tmp_path / "mistake.py"
    mistake.write_text(
        "import msgspec\n\n\ndef f(text: bytes) -> None: ...\n\n\nf(msgspec.json.decode(b'1', type=msgspec.Raw))\n"
    )
    found = mistaken_for_bytes(tmp_path, ROOT / "src", mistake)
    assert [line.partition(": error: ")[2] for line in found] == [
        'Argument 1 to "f" has incompatible type "Raw"; expected "bytes"  [arg-type]'
    ]


def test_modules_are_in_order() -> None:
    assert sorted(set(MODULES)) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_keywords_of_a_class_are_those_that_its_base_hands_on(module: str) -> None:
    for found in classes_of(module):
        keywords = {keyword.arg for keyword in found.keywords}
        handed_on = set().union(*(BASES.get(ast.unparse(base), set()) for base in found.bases))
        assert keywords == handed_on, f"{module}.{found.name}: give it a base of core/value.py, or do not compile it"


@pytest.mark.parametrize("module", MODULES)
def test_no_class_derives_from_one_of_the_event_loop(module: str) -> None:
    for found in classes_of(module):
        assert not any(ast.unparse(base).startswith("asyncio.") for base in found.bases), f"{module}.{found.name}"


def decoded() -> set[type]:
    """The structs that something decodes: named in a call, or within one that is."""
    found: set[type] = set()
    for file in sorted((ROOT / "src" / "shardgate").rglob("*.py")):
        source = file.read_text()
        names = {name for pair in re.findall(r"decode\(.*type=(\w+)|Decoder\((\w+)\)", source) for name in pair if name}
        if names:
            module = importlib.import_module(".".join(file.relative_to(ROOT / "src").with_suffix("").parts))
            named = [getattr(module, name, None) for name in names]
            found |= {each for each in named if isinstance(each, type) and issubclass(each, msgspec.Struct)}
    return {struct for each in found for struct in structs_in(msgspec.inspect.type_info(each), set())}


def structs_in(value: object, seen: set[int]) -> Iterator[type]:
    """The structs of a type as msgspec sees it."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, msgspec.inspect.StructType):
        yield value.cls
    members = value if isinstance(value, tuple | list) else vars_of(value)
    for member in members:
        yield from structs_in(member, seen)


def vars_of(value: object) -> list[object]:
    is_type = isinstance(value, msgspec.inspect.Type | msgspec.inspect.Field)
    return [getattr(value, name) for name in value.__struct_fields__ if name != "cls"] if is_type else []


def test_no_value_that_msgspec_decodes_is_compiled() -> None:
    compiled = {f"shardgate.{module.replace('/', '.')}" for module in MODULES}
    values = decoded()
    assert Reply in values
    assert {each for each in values if each.__module__ in compiled} == set()


def is_construction(value: ast.expr) -> bool:
    """Whether a class is called, so that the value's type is known."""
    return isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2][:1].isupper()


def believed(source: str) -> list[int]:
    """The lines that ask what an attribute is, in a function that has set it before to a new object.

    mypyc takes the answer for known, whatever was called in between: where the attribute has become None, it raises.
    """
    lines: list[int] = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        set_at: dict[str, int] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and is_construction(node.value):
                targets = [ast.unparse(target) for target in node.targets]
                set_at |= {target: node.lineno for target in targets if target.startswith("self.")}
        for node in ast.walk(function):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot):
                name = ast.unparse(node.left)
                if name in set_at and set_at[name] < node.lineno:
                    lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("module", MODULES)
def test_nobody_asks_again_what_an_attribute_is_after_it_was_set(module: str) -> None:
    assert believed((ROOT / "src" / "shardgate" / f"{module}.py").read_text()) == []


def test_the_question_that_a_compiled_connection_answered_wrong_is_found() -> None:
    source = """
def _start_body(self):
    incoming = self.incoming = IncomingBody(self)
    incoming.feed(rest)
    if self.incoming is incoming:
        incoming.wait()
"""
    assert believed(source) == [5]


def lost_defaults(source: str, names: dict[str, object]) -> list[str]:
    """The members that are None by default, and have none when compiled: mypyc says nothing of it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for each in node.body if isinstance(node, ast.ClassDef) else []:
            if isinstance(each, ast.AnnAssign) and isinstance(each.value, ast.Constant) and each.value.value is None:
                said = re.findall(r"\w+", ast.unparse(each.annotation))
                if any(getattr(names.get(name), "_is_protocol", False) for name in said):
                    found.append(f"{node.name}.{ast.unparse(each.target)}")  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("module", MODULES)
def test_no_default_is_none_where_the_type_is_a_protocol(module: str) -> None:
    """Found: compiled, `Call._connection` was undefined, and every request a 500; interpreted, all tests passed."""
    source = (ROOT / "src" / "shardgate" / f"{module}.py").read_text()
    assert lost_defaults(source, vars(importlib.import_module(f"shardgate.{module.replace('/', '.')}"))) == []


def test_a_default_that_would_be_lost_is_seen() -> None:
    members = ["carrier: Carrier | None = None", "size: int | None = None", "next: 'Carrier | None' = None"]
    source = "\n    ".join(["class Call:", *members])
    assert lost_defaults(source, {"Carrier": Carrier, "int": int}) == ["Call.carrier", "Call.next"]
