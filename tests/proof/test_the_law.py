"""The law on real processes, in small: `make equivalence` asks more."""

from pathlib import Path

import msgspec
import pytest

from bookings.app import create_app
from bookings.settings import Settings
from proof.data import ROOT, Data, prepare
from proof.equivalence import Options, compare_all, run
from proof.fleet import Fleet
from shardgate.store.sqlite import SqliteStore


@pytest.mark.cluster
def test_the_gateway_answers_as_the_monolith_does(tmp_path: Path) -> None:
    result = run(Options(300, 0.01), shards=3, seed=2026, folder=tmp_path)
    assert result.differences == []
    assert result.requests == 300
    assert result.statuses[200] > 100


@pytest.mark.cluster
def test_the_law_holds_while_instances_are_killed(tmp_path: Path) -> None:
    result = run(Options(300, 0.01, replicas=2, kill_every_s=0.5), shards=2, seed=2026, folder=tmp_path)
    assert result.differences == []
    assert result.kills >= 1


@pytest.mark.cluster
def test_the_proof_fails_where_a_shard_is_left_out(tmp_path: Path) -> None:
    whole = prepare(0.01, 3).copy(tmp_path)
    two = Data(whole.monolith, dict(list(whole.shards.items())[:2]), _directory_of_two(whole, tmp_path))
    with Fleet(two, tmp_path) as fleet:
        result = compare_all(fleet, requests=100, seed=1)
    assert len(result.differences) > 10


def _directory_of_two(whole: Data, folder: Path) -> Path:
    """A directory that knows only the tenants of the first two shards."""
    known = list(whole.shards)[:2]
    with SqliteStore(whole.directory) as store, SqliteStore(folder / "two.db") as two:
        two.put_many("vendors", [(key, shard) for key, shard in store.read("vendors").items() if shard in known])
    return folder / "two.db"


def test_the_document_beside_the_configuration_is_the_applications_own() -> None:
    written = msgspec.json.decode((ROOT / "examples/bookings/openapi.json").read_bytes())
    assert written == msgspec.json.decode(msgspec.json.encode(create_app(Settings(database="sqlite://")).openapi()))
