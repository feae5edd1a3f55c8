"""`make chaos` sees what it is there to see, and the faults of its short form hold."""

import os
import socket
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from bench.results import Machine
from proof.chaos.fault import ALL, Fault, Must, Verdict
from proof.chaos.faults.replicas import NEARLY_HTTP
from proof.chaos.faults.table import all_faults
from proof.chaos.heard import HeardProcess
from proof.chaos.judged import Seen, Times, judged, percentile
from proof.chaos.load import GREEDY, GREEDY_KIND, HALF, PARTNERS, Load, Order
from proof.chaos.names import NameServer, Service
from proof.chaos.record import Record
from proof.chaos.run import QUICK, run
from proof.chaos.shards import InstanceProcess
from proof.chaos.speed import Speed
from proof.chaos.stage import Stage
from proof.chaos.table import Kept, line, summary, write
from proof.chaos.variants import VARIANTS
from proof.chaos.writes import Made, read_made, torn
from tests.waiting import until, wait_until

MODES = ("garbage", "brownout", "flaky", "gives_up", "closes")
TIMES = Times(quiet_s=0.0, began_s=10.0, ended_s=20.0, over_s=30.0)
QUIET_MS = 20.0


def read(at_s: float, took_ms: float = QUIET_MS, **more: object) -> Record:
    return msgspec.structs.replace(Record(at_s, took_ms / 1000, "read", "n", "ok"), **more)


def usual() -> list[Record]:
    return [read(at / 10) for at in range(300)]


def seen(records: list[Record], must: Must | None = None, **options: object) -> Seen:
    return judged(records, TIMES, must or Must(), timed=True, **options)  # type: ignore[arg-type]


def test_nothing_failed_where_all_was_as_ever() -> None:
    found = seen(usual())
    assert (found.findings, found.said, found.is_noisy) == ((), "nothing failed", False)
    assert found.normal_p99_ms == found.p99_ms == pytest.approx(QUIET_MS)


@pytest.mark.parametrize(
    ("bad", "must", "finding"),
    [
        (read(12, word="cut"), Must(), "1 lost (1 read cut)"),
        (read(12, word="late"), Must(), "1 lost (1 read late)"),
        (read(12, word="failed", status=500), Must(), "1 lost (1 read failed 500)"),
        (read(12, word="unconnected"), Must(lost=9), "1 unconnected"),
        (read(12, word="refused", code="SG2001"), Must(lost=9, refused={"its read": ALL}), "1 of read refused"),
        (read(15, word="cut"), Must(lost=9, clean_s=3.0), "1 bad later than 3 s"),
        (read(22.5, word="cut"), Must(lost=9), "1 bad after its end (1 read cut)"),
        (read(12, 7000), Must(within_s=6.0), "the slowest took 7.0 s"),
        (read(9.9, 200, word="cut"), Must(), "1 lost (1 read cut)"),
        (read(5, word="cut"), Must(lost=9), "before: 1 read cut"),
    ],
)
def test_what_must_not_be_is_found(bad: Record, must: Must, finding: str) -> None:
    assert seen([*usual(), bad], must).findings == (finding,)


def test_the_greedy_partner_has_an_address_of_its_own() -> None:
    # Found: its requests came from the addresses of the polite ones, so that these asked too much and were refused.
    assert {Order(0.0, GREEDY_KIND, number).partner for number in range(50)} == {GREEDY}
    assert {Order(0.0, "heavy", number).partner for number in range(50)} == set(range(PARTNERS))
    assert GREEDY >= PARTNERS


@pytest.mark.parametrize("beside", [1, 5])
def test_all_partners_ask_for_each_kind_whatever_is_asked_beside_it(beside: int) -> None:
    # Found: kinds shared one count. Beside a greedy partner, every second number was its, so that five asked for ten.
    load = Load(0)
    partners = []
    for _ in range(PARTNERS):
        partners.append(load.order(0.0, "heavy").partner)
        for _ in range(beside):
            load.order(0.0, GREEDY_KIND)
    assert sorted(partners) == [*range(PARTNERS)]


def test_no_two_requests_create_the_same_thing() -> None:
    load = Load(0)
    things = [load.order(0.0, kind).thing for kind in ("create", HALF + "create", "every", HALF + "every") * 3]
    assert len(set(things)) == len(things) == 12


def test_what_may_be_is_no_finding() -> None:
    bad = [read(12, word="cut"), read(12, word="refused", code="SG2001"), read(21.5, word="cut")]
    found = seen([*usual(), *bad], Must(lost=2, refused={"its read": 1}), shard="n")
    assert found.findings == ()
    assert found.said == "1 its read SG2001, 2 its read cut"
    assert found.recovered_s == pytest.approx(1.5)


def test_what_may_come_any_number_of_times_is_not_lost() -> None:
    bad = [read(12, kind="every", shard="", word="late") for _ in range(9)]
    assert seen([*usual(), *bad], Must(also=frozenset({"every late"}))).findings == ()
    assert seen([*usual(), *bad], Must(also=frozenset({"read late"}))).findings == ("9 lost (9 every late)",)


def test_latency_is_judged_once_settled_in_terms_of_the_quiet_around_it() -> None:
    early = [read(11 + at / 100, 500) for at in range(100)]
    late = [read(14 + at / 100, 50) for at in range(100)]
    assert seen([*usual(), *early]).findings == ()
    assert seen([*usual(), *late]).findings == ("p99 50 ms is 2.50 times normal",)
    assert seen([*usual(), *late], Must(times=3.0)).findings == ()
    assert seen([*usual(), *late], shard="n").findings == ()  # of the shard at fault
    untimed = judged([*usual(), *late], TIMES, Must(), timed=False)
    assert (untimed.findings, untimed.is_late) == ((), True)


def test_a_machine_that_was_not_quiet_is_noticed() -> None:
    assert seen([*usual(), *(read(5, 100) for _ in range(9))]).is_noisy
    assert seen([*usual(), *(read(5, lag_s=0.1) for _ in range(9))]).is_noisy


def test_extra_calls_are_bound() -> None:
    assert seen(usual(), Must(extra_percent=5.0), extra_percent=5.1).findings == ("5.1 % extra calls",)
    assert seen(usual(), Must(extra_percent=5.0), extra_percent=4.9).said == "4.9 % extra"


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile(range(200), 99) == 198
    assert percentile([], 99) == 0.0


def test_changes_that_are_lost_torn_or_doubled_are_found(tmp_path: Path) -> None:
    (tmp_path / "n").write_text(
        "made /things/n-c1 n1\nmade /everyone/e1 n1\nmade /everyone/e2 n1\ngone /everyone/e2 n2\n"
    )
    shards = {"n": read_made(tmp_path / "n"), "s": Made(Counter(), set())}
    good = [read(1, kind="create", thing="n-c1"), read(1, kind="every", shard="", thing="e2", word="refused")]
    assert torn(good, shards) == []
    assert torn([read(1, kind="create", thing="n-c2")], shards) == ["1 acknowledged creates are not there"]
    assert torn([read(1, kind="create", shard="s", thing="n-c1", word="late")], shards) == [
        "1 creates are on another shard"
    ]
    assert torn([read(1, kind="every", shard="", thing="e1")], shards) == [
        "1 acknowledged changes of all are not on all"
    ]
    assert torn([read(1, kind="every", shard="", thing="e1", word="late")], shards) == ["1 changes of all are on some"]
    shards["n"].times["/things/n-c1"] = 2
    assert torn(good[:1], shards) == ["1 creates were made twice"]


def test_two_faults_must_hold_what_both_allow() -> None:
    both = Must(lost=1, refused={"list": 2}, clean_s=3.0).beside(Must(lost=2, refused={"list": 1}, times=None))
    assert (both.lost, both.refused, both.clean_s, both.times) == (3, {"list": 3}, None, None)
    assert Must(lost=1, times=None).said == "lost ≤ 1; 0 refused; over in 2 s"


def test_a_fault_that_did_not_take_place_is_a_finding(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.prove(took_place=True, otherwise="it runs")
    stage.prove(took_place=False, otherwise="nothing was refused")
    assert stage.found == ["the fault did not take place: nothing was refused"]
    assert not stage.is_late, "it is not tried once more"


def test_an_instance_is_seen_to_be_as_it_was_told(tmp_path: Path) -> None:
    instance = InstanceProcess("n1", "127.9.1.1", tmp_path / "n.things")
    instance.start()
    try:
        instance.await_ready()
        assert (instance.answers(), instance.is_gone, instance.has_connections()) == ("well", False, False)
        for mode in ("slow 10", "drip", "refuse", "reset", "error", "unready", *MODES, *NEARLY_HTTP):
            instance.tell(mode)
            wait_until(lambda: instance.answers() != "well")
            instance.tell("well")
            wait_until(lambda: instance.answers() == "well")
        with socket.create_connection((instance.address, instance.port)):
            assert instance.has_connections()
        instance.freeze()
        assert (instance.is_frozen, instance.answers()) == (True, "nothing in time")
        instance.thaw()
    finally:
        instance.kill()
    assert (instance.is_gone, instance.is_frozen) == (True, False)


class Echo(HeardProcess):
    """Repeats what it is told."""

    def __init__(self) -> None:
        super().__init__("code", "-q")  # the interpreter's own loop: it reads lines, and does what they say
        self.lines: list[bytes] = []

    def heard(self, line: bytes) -> None:
        self.lines.append(line)


async def test_a_process_is_told_heard_and_ended() -> None:
    echo = Echo()
    echo.bind({0})  # not started yet: nothing happens
    await echo.start()
    await echo.tell(b"import os; print(os.getpid(), flush=True)\n")
    await until(lambda: echo.lines)
    pid = int(echo.lines[0].split()[-1])
    processor = max(os.sched_getaffinity(0))
    echo.bind({processor})
    assert os.sched_getaffinity(pid) == {processor}
    await echo.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_client_that_ends_its_side_asks_as_others_do() -> None:
    for kind in ("read", "list", "create", "every"):
        usual, half = (Order(0.0, each, 7) for each in (kind, f"{HALF}{kind}"))
        assert (half.message, half.letter, half.thing) == (usual.message, usual.letter, usual.thing)
        assert (half.is_half, usual.is_half) == (True, False)
    made = {"n": Made(Counter(), set())}
    record = read(1, kind=f"{HALF}create", thing="n-c2")
    assert torn([record], made) == ["1 acknowledged creates are not there"], "its changes are looked for, too"


def test_how_fast_a_processor_was_is_told_of_a_time() -> None:
    speed = Speed(0)
    speed._took = [(1.0, 0.001), (2.0, 0.002), (3.0, 0.004)]
    assert speed.between(0.0, 2.5) == pytest.approx(2 / 0.003)
    # Found: the process that tells got no processor for half a second, and the whole run ended.
    assert speed.last == pytest.approx(3 / 0.007)
    with pytest.raises(RuntimeError, match="nothing is known"):
        speed.between(4.0, 5.0)


def question(name: str, kind: int = 1) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00" + bytes([kind]) + b"\x00\x01"


def test_the_name_server_answers_as_it_is_told() -> None:
    server = NameServer()
    server.addresses["n1.chaos.test"] = ["127.9.1.1", "127.9.1.2"]
    assert server.answer(question("n1.chaos.test"))[:8] == b"\x12\x34\x85\x80\x00\x01\x00\x02"
    assert server.answer(question("n1.chaos.test"))[-4:] == bytes([127, 9, 1, 2])
    assert server.answer(question("n1.chaos.test", 28))[2:8] == b"\x85\x80\x00\x01\x00\x00"
    assert server.answer(question("other.test"))[2:8] == b"\x85\x83\x00\x01\x00\x00"
    server.services["_http._tcp.north.chaos.test"] = [Service(3, 8000, "n1.chaos.test")]
    answer = server.answer(question("_http._tcp.north.chaos.test", 33))
    assert answer[2:8] == b"\x85\x80\x00\x01\x00\x01"
    assert answer.endswith(b"\x00\x15\x00\x00\x00\x03\x1f\x40\x02n1\x05chaos\x04test\x00")
    server.mode = "failing"
    assert server.answer(question("n1.chaos.test"))[2:8] == b"\x85\x82\x00\x01\x00\x00"


def test_there_are_forty_faults_with_pairs_and_no_two_of_one_name() -> None:
    faults = all_faults()
    names = [fault.name for fault in faults]
    assert len(names) == len(set(names)) >= 40
    assert sum("+" in name for name in names) >= 10
    assert {fault.stage for fault in faults} == {*VARIANTS}


GOOD = Verdict(name="a fault", what="it", must="0 lost", observed="nothing failed", requests=9)


def test_the_table_says_what_held_and_what_did_not(tmp_path: Path) -> None:
    broken = msgspec.structs.replace(GOOD, name="another", findings=("1 lost",), tries=2, is_noisy=True)
    skipped = msgspec.structs.replace(GOOD, name="a third", skipped="no such tool")
    assert "BROKEN" not in line(GOOD)
    assert line(broken).endswith("nothing failed; tried twice; the machine was noisy  BROKEN: 1 lost")
    assert "SKIPPED: no such tool" in line(skipped)
    assert summary([GOOD, broken, skipped]) == "chaos: 2 faults, 1 held, 1 skipped"
    machine = Machine(processor="a", cores=2, memory_gib=4, kernel="6", load_before=0.1)
    kept = Kept(date="now", commit="abc", machine=machine, took_s=1.0, verdicts=[GOOD, broken, skipped])
    write(kept, tmp_path)
    text = (tmp_path / "chaos.md").read_text()
    assert "| another | it | 0 lost |" in text
    assert "**BROKEN**: 1 lost" in text
    assert msgspec.json.decode((tmp_path / "chaos.json").read_bytes(), type=Kept) == kept


def test_a_pair_is_on_the_gateway_of_the_one_that_needs_its_own() -> None:
    plain, clock = (
        next(fault for fault in all_faults() if fault.name == name) for name in ("worker killed", "clock back")
    )
    both: Fault = plain.with_(clock)
    assert (both.name, both.stage) == ("worker killed + clock back", "clock")


@pytest.mark.cluster
@pytest.mark.slow
async def test_a_few_faults_hold() -> None:
    """Latencies are shown, and not judged: other tests run at the same time."""
    verdicts = await run(QUICK, quick=True)
    assert 5 <= len(verdicts) <= 8
    assert [(verdict.name, verdict.findings) for verdict in verdicts if verdict.findings] == []
