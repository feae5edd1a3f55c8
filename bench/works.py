"""The works that are measured by rate and CPU time: relays, gathers, a slow shard, two workers."""

from collections.abc import Sequence

from bench.answers import PAGE, WHOLE
from bench.peers import Peer, Work
from bench.peers.roster import GO_RAW, GO_RELAY, SUBJECT, TWO_WORKERS
from bench.results import Single, ratio
from bench.rig import KEYED, LARGE, Load
from bench.stage import Bench, Turn

RELAY = "relay 1 KB"
RELAY_LARGE = "relay 50 KB"
RELAY_TRACED = "relay 1 KB, a ninth field that differs each time"
RELAY_LOW = "relay 1 KB, 500/s"
RELAY_HALF = "relay 1 KB, half load"
SLOW_SHARD = "gather 4 × 10, one shard 200 ms late"
SCALING = "two workers ÷ one"
LOW_RATE = 500
ALONE_SHARE_MIN = 0.85
SHARD_COUNTS = (2, 4, 8, 16, 32)
CONNECTED_S = 0.6  # while others had their turns, connections to shards were idle for too long: a thousand are opened
ROWS = (10, 50)
SHORT_ROUNDS = 4
"""So many times as many rounds, where turns are short: a machine may change its speed within seconds."""
GROWTH_RELAY = "relay 1 KB, in turns with gathers"


def gather(shards: int, rows: int) -> str:
    """The name of the work: a page of so many rows out of so many of each shard."""
    return f"gather {shards} × {rows}"


def growth(shards: int) -> str:
    """The name of the work: a page of ten rows, in turns with a relay and with such pages over other numbers."""
    return f"{gather(shards, 10)}, in turns"


def whole(shards: int, rows: int) -> str:
    """The name of the work: all rows of all shards."""
    return f"list {shards} × {rows}"


def page_of(rows: int) -> str:
    """What is asked for a page of so many rows."""
    return PAGE.replace("made=10", f"made={rows}").replace("limit=10", f"limit={rows}")


def whole_of(rows: int) -> str:
    """What is asked for all rows, where each shard has so many."""
    return WHOLE.replace("made=10", f"made={rows}")


def relays(bench: Bench, peers: Sequence[Peer]) -> None:
    """One shard answers, the reply passes."""
    seconds = bench.pace.seconds
    with bench.stage([SUBJECT, *peers], Work.RELAY, 4) as running:
        # Most musts are told from these. Of five turns of 0.8 s, the ratio to nginx's was between 1.37 and 1.83.
        short = Load(target=KEYED, connections=32, seconds=seconds / 2)
        bench.interleave(RELAY, running, [short], bench.pace.rounds * SHORT_ROUNDS)
        bench.interleave(RELAY, running, [Load(target=KEYED, connections=count, seconds=seconds) for count in (1, 512)])
        bench.interleave(RELAY_LARGE, running, [Load(target=LARGE, seconds=seconds)])
        few = {name: running[name] for name in (SUBJECT.name, GO_RELAY.name) if name in running}
        bench.interleave(RELAY_TRACED, few, [Load(seconds=seconds, traced=True)])
        bench.interleave(RELAY_LOW, running, [Load(seconds=seconds, rate=LOW_RATE)])
        _warn_of_company(bench)
        full = bench.report.find(RELAY, GO_RELAY.name)
        if full is not None:
            # The same for all: half of what the Go relay can do. Whoever cannot do as much is left out.
            rate = full.median("per_s") / 2
            able = {name: process for name, process in running.items() if _per_s(bench, name) > rate * 1.2}
            bench.interleave(RELAY_HALF, able, [Load(seconds=seconds * 1.5, rate=rate)])


def _warn_of_company(bench: Bench) -> None:
    """At saturation a gateway has its core for itself; where it had not, somebody else was there too."""
    found = bench.report.find(RELAY, SUBJECT.name)
    if found is not None and (share := found.median("cpu_share")) < ALONE_SHARE_MIN:
        text = f"other programs used this machine: at saturation the gateway had {share:.0%} of its core"
        bench.report.warnings.append(f"{text}; run it again on a quiet one")
        bench.say(bench.report.warnings[-1])


def _per_s(bench: Bench, peer: str) -> float:
    found = bench.report.find(RELAY, peer)
    return found.median("per_s") if found is not None else 0.0


def gathers(bench: Bench, peers: Sequence[Peer]) -> None:
    """All shards answer; one page, or one list, is made of it."""
    seconds = bench.pace.seconds
    for count in SHARD_COUNTS:
        # All peers over four shards; over other numbers the two whose growth is compared.
        chosen = [peer for peer in peers if count == 4 or peer.name == GO_RAW.name]
        with bench.stage([SUBJECT, *chosen], Work.GATHER, count) as running:
            for rows in ROWS:
                target = page_of(rows)
                alone = [Load(target=target, seconds=seconds, connections=1)] if (count, rows) == (4, 10) else []
                bench.interleave(gather(count, rows), running, [Load(target=target, seconds=seconds), *alone])
    with bench.stage([SUBJECT, *peers], Work.LIST, 4) as running:
        for rows in ROWS:
            bench.interleave(whole(4, rows), running, [Load(target=whole_of(rows), seconds=seconds)])


def one_more_shard(bench: Bench, _peers: Sequence[Peer]) -> None:
    """A page over each number of shards, and a relay, of one moment: one is divided by the other."""
    seconds, rounds = bench.pace.seconds / 2, bench.pace.rounds * 2
    with bench.over_each(SUBJECT, SHARD_COUNTS) as running:
        if not running:
            return
        relay = Turn(GROWTH_RELAY, SUBJECT.name, running[4], Load(seconds=seconds, warm_s=CONNECTED_S))
        load = Load(target=page_of(10), seconds=seconds, warm_s=CONNECTED_S)
        pages = [Turn(growth(count), SUBJECT.name, process, load) for count, process in running.items()]
        bench.in_turns([relay, *pages], rounds)
        bench.say(f"a relay, and gathers over {', '.join(map(str, SHARD_COUNTS))} shards, in turns: measured")


def slow_shard(bench: Bench, peers: Sequence[Peer]) -> None:
    """What the slowest shard costs beyond its own lateness."""
    chosen = [peer for peer in peers if peer.name == GO_RAW.name]
    with bench.stage([SUBJECT, *chosen], Work.GATHER, 4, slow=0) as running:
        bench.interleave(SLOW_SHARD, running, [Load(target=PAGE, seconds=max(1.0, bench.pace.seconds))])


def two_workers(bench: Bench, _peers: Sequence[Peer]) -> None:
    """What a second process adds: by requests where cores are free for it, else by what a request costs in CPU.

    In many short turns: of five, one pair said 1.1 and another 2.7, on a machine whose speed changes within seconds.
    """
    load = Load(seconds=bench.pace.seconds / 2, connections=64)
    with bench.stage([SUBJECT, TWO_WORKERS], Work.RELAY, 4) as running:
        turns = [Turn(RELAY, name, process, load) for name, process in running.items()]
        bench.in_turns(turns, bench.pace.rounds * SHORT_ROUNDS)
        bench.say(f"{RELAY}, {load.connections} connections, one worker and two: {len(running)} measured")
    one, two = (bench.report.find(RELAY, peer.name, 64) for peer in (SUBJECT, TWO_WORKERS))
    if one is None or two is None:
        return
    if len(bench.cores.pair) == 2:
        value, note = ratio(two, one, "per_s"), "requests/s, each worker on a core of its own"
    else:
        value = 2 * ratio(one, two, "cpu_us")
        note = "by CPU a request, both workers on one core: this machine has no second one to spare"
    bench.report.singles.append(Single(work=SCALING, peer=SUBJECT.name, unit="×", value=value, note=note))
