"""The observer: passes what is over to the meter and the log, and looks at the pools at each tick."""

import json
from pathlib import Path

import pytest

from shardgate.net.watch import Watch
from shardgate.observe.access_log import AccessLog
from shardgate.observe.layout import LINES_LOST, POOL_IDLE, POOL_OPEN, POOL_WAITING, POOL_WAITS, REQUESTS, Layout
from shardgate.observe.log_file import LogFile
from shardgate.observe.memory import SharedMemory
from shardgate.observe.meter import Meter
from shardgate.observe.observer import Observer
from tests.observe.exchanges import noted


class World:
    """An observer, and what it counts into."""

    def __init__(self) -> None:
        self.layout = Layout({}, 0).extended([], ["north"])
        self.memory = SharedMemory.roomy(self.layout.size)
        self.pool = ("north", 0, 0, 0, 0)
        meter = Meter(self.memory.slot(0), self.layout, [], ["north"])
        self.observer = Observer(meter, Watch(), lambda: [self.pool], dict)

    def pool_counts(self) -> list[int]:
        families = (POOL_OPEN, POOL_IDLE, POOL_WAITING, POOL_WAITS)
        return [self.memory.total(self.layout.cell(family, "north")) for family in families]


@pytest.fixture
def world() -> World:
    return World()


def test_pools_are_looked_at_when_a_tick_comes(world: World) -> None:
    world.observer.start(None)
    world.pool = ("north", 5, 2, 1, 9)
    assert world.pool_counts() == [0, 0, 0, 0]
    world.observer.expire()
    assert world.pool_counts() == [5, 2, 1, 9]
    world.pool = ("north", 1, 1, 0, 12)
    world.observer.close()
    assert world.pool_counts() == [1, 1, 0, 12]


def test_a_request_that_is_over_is_counted_at_once_and_logged_by_the_next_tick(world: World, tmp_path: Path) -> None:
    world.observer.start(AccessLog(LogFile(str(tmp_path / "log")), query=False, sample=1.0))
    world.observer.finished(noted(began_at=1.0, ended_at=2.0, status=400))
    assert world.memory.total(world.layout.cell(REQUESTS, "none", "none", "4xx")) == 1
    assert (tmp_path / "log").read_bytes() == b""
    world.observer.close()
    assert json.loads((tmp_path / "log").read_text())["status"] == 400


def test_lost_lines_are_counted(world: World) -> None:
    log = AccessLog(LogFile("/dev/full"), query=False, sample=1.0)
    world.observer.start(log)
    world.observer.finished(noted(began_at=1.0, ended_at=2.0, status=400))
    world.observer.close()  # the last look is before the last lines are written
    world.observer.expire()
    assert world.memory.total(world.layout.cell(LINES_LOST)) == 1
