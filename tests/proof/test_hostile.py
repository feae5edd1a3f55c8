"""`make hostile` sees what it is there to see: a loop that is held, memory that is taken, a shard's address in a reply,
a change that is lost, and a client that gets no answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from proof.hostile.asking import Answer, ask, request
from proof.hostile.attack import Attack, Outcome, Verdict, told
from proof.hostile.attacks.table import all_attacks
from proof.hostile.bad_replies import BAD, SLOW
from proof.hostile.run import tried
from proof.hostile.shards import Asked, Shard
from proof.hostile.stage import Stage
from proof.hostile.table import line, summary
from proof.hostile.worlds import open_stage

pytestmark = [pytest.mark.cluster]

GOOD = Verdict("an attack", "413", 12.0, 3.0, 0.1)


@pytest.fixture
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = Path(tmp_path_factory.mktemp("h"))  # short: a path of a socket has 107 bytes at most
    async with open_stage("stub", folder / "s", 1) as stage:
        yield stage


def telling(line: bytes) -> Attack:
    """No attack: the gateway is told to be slow, or large."""

    async def run(stage: Stage) -> Outcome:
        (pid,) = stage.gateway.workers
        await stage.gateway.tell(pid, line)
        return Outcome("told")

    return Attack("told", run)


def changed(**fields: object) -> Verdict:
    return msgspec.structs.replace(GOOD, **fields)


async def test_a_loop_that_is_held_is_seen_and_so_is_memory(stage: Stage) -> None:
    held = await tried(stage, telling(b"hog 0.4"))
    assert held.stall_ms > 100, held
    assert any(text.startswith("stall") for text in held.broken), held
    large = await tried(stage, telling(b"hold 300000000"))
    assert large.memory_mb > 280, large
    assert any(text.startswith("memory") for text in large.broken), large
    quiet = await tried(stage, Attack("quiet", _one_request))
    assert quiet.broken == (), quiet


async def test_a_shard_that_is_cut_leaves_no_connection_that_nobody_reads() -> None:
    """Found: a task that was cancelled before it began left its connection open; the gateway used that connection for
    the next attack's list, which was a 503 after three seconds."""

    class CutAtOnce(Shard):
        def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            super()._accept(reader, writer)
            self.cut()

    shard = CutAtOnce("n")
    await shard.start()
    answer = await ask(shard.port, request("GET", "/list"), within_s=3.0)
    shard.stop()
    assert answer.ended in {"closed", "reset"}, answer


async def _one_request(stage: Stage) -> Outcome:
    return told([await stage.ask(request("GET", "/things/n-1"))], allowed=(200,))


async def test_an_address_of_a_shard_in_a_reply_is_seen(stage: Stage) -> None:
    async def telling_all(_: Asked, writer: asyncio.StreamWriter) -> None:
        body = stage.hostile.url.encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    async def run(stage: Stage) -> Outcome:
        stage.hostile.behaviour = telling_all
        return told([await stage.ask(request("GET", "/things/s-1"))])

    assert (await tried(stage, Attack("telling", run))).leaked == 1


async def test_a_change_that_was_acknowledged_and_is_not_there_is_lost(stage: Stage) -> None:
    async def run(stage: Stage) -> Outcome:
        answer = await stage.create("/everyone", "gone", b'{"id":"gone"}')
        stage.west.kept.discard("/everyone/gone")
        return told([answer], allowed=(201,))

    verdict = await tried(stage, Attack("losing", run))
    assert (verdict.lost, verdict.findings) == (1, ()), verdict


async def test_a_gateway_that_does_not_answer_is_seen(stage: Stage) -> None:
    async def run(stage: Stage) -> Outcome:
        (pid,) = stage.gateway.workers
        held = asyncio.ensure_future(stage.gateway.tell(pid, b"hog 3"))
        answer = await stage.ask(request("GET", "/things/n-1"), within_s=0.5)
        await held
        return told([answer])

    assert any("not answered in time" in text for text in (await tried(stage, Attack("silent", run))).broken)


def test_each_bound_that_is_broken_is_named() -> None:
    assert GOOD.broken == ()
    assert changed(stall_ms=51).broken == ("stall 51 ms",)
    assert changed(memory_mb=257).broken == ("memory 257 MB",)
    assert changed(memory_mb=257, stall_ms=60, many=True).broken == ()
    assert changed(lost=1, stuck=2, leaked=3, findings=("odd",)).broken == ("odd", "1 lost", "2 stuck", "3 leaked")
    assert "BROKEN" not in line(GOOD)
    assert line(changed(stuck=1)).endswith("BROKEN: 1 stuck")


def test_the_last_line_sums_up() -> None:
    several = [GOOD, changed(stall_ms=49.6, lost=1), changed(memory_mb=300, stall_ms=90, many=True)]
    assert summary(several) == "hostile: 3 attacks, worst stall 50 ms, worst memory 3 MB, 1 lost, 0 stuck, 0 leaked"


def answer(status: int, ended: str = "whole") -> Answer:
    return Answer(status, b"", 0, 0.1, ended)  # type: ignore[arg-type]


def test_an_outcome_is_told_in_words() -> None:
    assert told([answer(413), answer(413), answer(200)]) == Outcome("200 2x413")
    assert told([answer(500)]).findings == ("1 answered by 500",)
    assert told([answer(404)], allowed=(200,)).findings == ("1 answered by 404",)
    assert told([answer(200, "silent")]).findings == ("1 not answered in time",)
    assert told([answer(0, "reset")]) == Outcome("reset")


def test_there_are_a_hundred_bad_ways_to_answer_and_no_attack_has_the_name_of_another() -> None:
    names = [attack.name for attack in all_attacks()]
    assert len(names) == len(set(names)) > 300
    assert len(BAD) + len(SLOW) > 100
