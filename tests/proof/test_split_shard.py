"""Before a gateway that serves: a shard is divided, and tenants move by the application's own export and import."""

import sys
from pathlib import Path
from typing import Any

import pytest

from proof.data import Data
from proof.move.readers import Readers
from proof.move.run import _command
from proof.move.world import lost_and_doubled, movements_of, places_of, running_world, tenants_of

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(480)]


def test_a_shard_is_divided_while_clients_read(tmp_path: Path) -> None:
    with running_world(0.02, 2, tmp_path, [300]) as (fleet, data):
        old, new = next(iter(data.shards)), "west"
        more = Data(data.monolith, {**data.shards, new: str(tmp_path / "west.db")}, data.directory)
        with fleet.client(fleet.gateway):
            token = fleet.token
        _command(fleet, "shard", "add", new, "--database", f"{new}=sqlite:///{more.shards[new]}")
        fleet.add(new, more.shards[new])
        before = tenants_of(data)
        fleet._settings = movements_of(more)
        fleet._write_config(more.shards)
        with pytest.raises(RuntimeError, match="does not know west acknowledges nothing"):
            _command(fleet, "split-shard", old, "--into", new, "--apply")
        assert "does not know its target west" in fleet.gateway.output()
        assert tenants_of(data) == before
        fleet.reload(movements_of(more), more.shards)
        with Readers(fleet, token, list(before), [], 2) as readers:
            _command(fleet, "split-shard", old, "--into", new, "--apply")
        after = tenants_of(data)
        assert readers.differences == []
        assert sum(readers.statuses.values()) > 20
        assert max(readers.statuses) < 500
        assert {after[tenant] for tenant, home in before.items() if home == old} == {old, new}
        assert {tenant: home for tenant, home in after.items() if before[tenant] != old}.items() <= before.items()
        assert lost_and_doubled(more) == (0, 0)
        assert all(places_of(more, tenant) == [home] for tenant, home in after.items())


def test_tenants_move_by_the_export_and_import_of_the_application_while_clients_read(tmp_path: Path) -> None:
    with running_world(0.02, 2, tmp_path, []) as (fleet, data):
        with fleet.client(fleet.gateway):
            token = fleet.token
        carrier = [sys.executable, str(Path(__file__).with_name("bookings_carrier.py"))]
        settings: dict[str, Any] = movements_of(data)
        settings["movements"]["application"] = {
            "export_command": [*carrier, "export", str(fleet.config), "{file}"],
            "import_command": [*carrier, "import", str(fleet.config), "{file}"],
        }
        fleet.reload(settings, data.shards)
        first, last = data.shards
        moved = [tenant for tenant, home in tenants_of(data).items() if home == first][:2]
        with Readers(fleet, token, list(tenants_of(data)), [], 2) as readers:
            for tenant in moved:
                _command(fleet, "move", tenant, "--to", last)
        assert readers.differences == []
        assert max(readers.statuses) < 500
        assert [places_of(data, tenant) for tenant in moved] == [[last]] * 2
        assert lost_and_doubled(data) == (0, 0)
