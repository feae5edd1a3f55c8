"""Health checks on fake connections: what is asked, and what becomes of the replica."""

from shardgate.core.replicas.settings import HealthCheck, Member
from shardgate.net.upstream.health_checks import HealthChecks
from shardgate.net.upstream.pool import Pool, PoolSettings
from tests.net.upstream.play import DiallerOfTheTest, Failed, turns
from tests.net.upstream.replicas_play import ReplicasPlay

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


async def checked_alone(panic_percent: int) -> ReplicasPlay:
    """One replica, which has just answered its check that it cannot serve."""
    check = HealthCheck(path="/readyz", interval_s=2, fall=1, rise=1)
    play = ReplicasPlay(Member(), check=check, panic_percent=panic_percent)
    dialler = DiallerOfTheTest()
    dialler.may_connect.set()
    pool = Pool(dialler, play.watch, PoolSettings(1, 1, idle_timeout_s=1000.0))
    HealthChecks(check, b"/readyz", b"h:1", pool, play.replicas, play.group.replicas[0], play.watch)
    play.passes(0)
    await turns()
    dialler.opened[-1].says(BUSY)
    return play


async def test_the_only_replica_is_asked_though_its_check_fails() -> None:
    play = await checked_alone(panic_percent=50)
    assert play.events.log == ["0 unwell, and asked"]
    await play.call()
    assert play.asked() == [1]


async def test_the_only_replica_is_left_alone_where_the_guards_say_so() -> None:
    play = await checked_alone(panic_percent=0)
    assert play.events.log == ["0 unwell"]
    await play.call()
    assert (play.asked(), play.is_at_rest()) == ([0], True)
    assert play.log == [Failed("SG2001")]


async def test_health_checks_take_a_replica_out_and_bring_it_back() -> None:
    check = HealthCheck(path="/readyz", interval_s=2, fall=1, rise=1)
    play = ReplicasPlay(Member(weight=1000), Member(), check=check)
    dialler = DiallerOfTheTest()
    dialler.may_connect.set()
    pool = Pool(dialler, play.watch, PoolSettings(1, 1, idle_timeout_s=1000.0))
    checks = HealthChecks(check, b"/readyz", b"h:1", pool, play.replicas, play.group.replicas[0], play.watch)
    play.passes(0)
    await turns()
    assert dialler.opened[-1].took().startswith(b"GET /readyz HTTP/1.1\r\nHost: h:1\r\n")
    dialler.opened[-1].says(BUSY)
    assert play.events.log == ["0 unwell"]
    await play.call()
    assert play.asked() == [0, 1]
    play.passes(2)
    await turns()
    dialler.opened[-1].says(OK)
    assert play.events.log == ["0 unwell", "0 well"]
    play.passes(2)
    await turns()
    play.passes(1.5)  # no answer
    assert play.events.log == ["0 unwell", "0 well", "0 unwell"]
    checks.close()
