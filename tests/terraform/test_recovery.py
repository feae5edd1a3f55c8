"""A directory that was lost is restored as docs/howto/ecs.md says, and the gateway then finds the same tenants."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shardgate.cli.main import app
from tests.cluster import reply

TENANTS = "key,shard\nacme,north\nbest,south\ncity,south\n"
RULES = {
    "locators": {"vendor": [{"kind": "directory", "space": "vendors"}]},
    "rules": {"GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"}},
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def directory(*words: str, given: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["directory", *words], input=given)
    return result.exit_code, result.output


def lose() -> None:
    for file in Path().glob("directory.db*"):
        file.unlink()


async def test_a_directory_is_restored_from_its_export(
    start_shard: Callable[..., Any], start_gateway: Callable[..., Any]
) -> None:
    shards = {name: (await start_shard(lambda _, name=name: reply(f'"{name}"'))).url for name in ("north", "south")}
    assert directory("import", "-", "--space", "vendors", given=TENANTS)[0] == 0
    assert directory("export", "-d", "directory.db", "--output", "tenants.csv")[0] == 0
    lose()

    assert directory("import", "tenants.csv", "-d", "directory.db")[0] == 0
    gateway = await start_gateway({**RULES, "shards": shards, "directory": "directory.db"})
    found = {vendor: (await gateway.client.get(f"/vendors/{vendor}")).json() for vendor in ("acme", "best", "city")}
    assert found == {"acme": "north", "best": "south", "city": "south"}


def test_without_an_export_the_shards_say_which_tenants_they_have() -> None:
    answers = "acme,north\n" + "best,south\ncity,south\n"
    code, said = directory("import", "-", "--space", "vendors", "-d", "directory.db", given=f"key,shard\n{answers}")
    assert (code, "3 keys are new" in said) == (0, True)


def test_a_tenant_that_two_shards_have_is_a_mistake_and_nothing_is_written() -> None:
    answers = "acme,north\nacme,south\n"
    code, said = directory("import", "-", "--space", "vendors", "-d", "directory.db", given=f"key,shard\n{answers}")
    assert code == 1
    assert "key 'acme' is on south, but line 2 says north" in said
    assert "nothing was written" in said
