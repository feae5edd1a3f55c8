"""`shardgate journal`: an operator lists stuck changes, retries them or abandons them."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from shardgate.cli.main import app
from tests.cluster import reply, running_shard, until
from tests.served.things import Things

RULES = {
    "store": "store.db",
    "timeouts": {"worker_lease_s": 20},
    "rules": {"PUT /things/{id}": {"rule": "every", "mode": "eventual"}},
}


def run(folder: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["journal", *words, "-c", str(folder / "shardgate.yaml")])
    return result.exit_code, result.output


@pytest.fixture
async def behind(start_shard: Any, start_gateway: Any, tmp_path: Path) -> Any:
    """A change that waits for the south, which is down; and the south's port."""
    north = Things()
    north.held["a"] = {"id": "a"}
    shard = await start_shard(north)
    async with running_shard() as down:
        port = down.port
    urls = {"north": shard.url, "south": f"http://127.0.0.1:{port}"}
    gateway = await start_gateway({"shards": urls, **RULES})
    answer = await gateway.client.put("/things/a", json={"n": 1}, headers={"Authorization": "Bearer old"})
    assert answer.status_code == 202
    return gateway, port, answer.headers["location"]


async def test_open_and_stuck_changes_are_listed_with_the_reason(behind: Any, tmp_path: Path) -> None:
    gateway, port, link = behind
    assert "north done, south waiting" in run(tmp_path, "list")[1]
    async with running_shard(lambda asked: reply("{}", status="401 Unauthorized"), port):
        await gateway.until_state(link, "stuck", headers={"Authorization": "Bearer old"})
        assert "south: the shard answered 401" in run(tmp_path, "list")[1]


async def test_a_stuck_change_goes_on_with_new_credentials(behind: Any, tmp_path: Path) -> None:
    _, port, _ = behind
    asked: list[list[str]] = []

    def answer(request: Any) -> bytes:
        asked.append(request.field("authorization"))
        good = asked[-1] == ["Bearer new"]
        return reply("{}", status="200 OK" if good else "401 Unauthorized")

    async with running_shard(answer, port):
        await until(lambda: "stuck" in run(tmp_path, "list")[1].partition("north")[0])
        assert run(tmp_path, "retry", "7")[0] == 1
        code, said = run(tmp_path, "retry", "1", "-H", "Authorization: Bearer new")
        assert (code, said) == (0, "shardgate: change 1 (PUT /things/{id}) is finishing again\n")
        await until(lambda: "done" in run(tmp_path, "list", "--all")[1].partition("north")[0])
        assert asked == [["Bearer old"], ["Bearer new"]]
        assert run(tmp_path, "retry", "1")[0] == 1


async def test_an_abandoned_change_is_not_sent_and_later_ones_no_longer_wait(behind: Any, tmp_path: Path) -> None:
    gateway, port, _ = behind
    later = await gateway.client.put("/things/a", json={"n": 2})
    assert run(tmp_path, "abandon", "1")[0] == 0
    assert run(tmp_path, "abandon", "1")[0] == 1
    south = Things()
    south.held["a"] = {"id": "a"}
    async with running_shard(south, port) as shard:
        await gateway.until_state(later.headers["location"], "done")
        assert [asked.body for asked in shard.asked] == [b'{"n":2}']
