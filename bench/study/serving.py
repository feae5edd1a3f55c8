"""The same requests to the monolith, to the copy and through the gateways, on the real platform."""

from collections import defaultdict
from collections.abc import Mapping
from statistics import median

from bench.study.first_byte import Timing, timed
from bench.study.report import Served

CONNECTIONS = 8
ROUNDS = 3


LISTS = {
    "10 events by name": "/v3/events?order=name&limit=10",
    "20 events by name, from 8,000 on": "/v3/events?order=name&limit=20&offset=8000",
}


async def served(
    urls: Mapping[str, str], only_lists: Mapping[str, str], event: str, token: str, *, seconds: float
) -> list[Served]:
    """Time to first byte at one connection, and requests a second at eight, in interleaved rounds; medians.

    Some serve only lists: the proofs of concept that relay do not know whose an event is.
    """
    asked = [("one event", subject, url, f"/v3/events/{event}") for subject, url in urls.items()]
    for work, target in LISTS.items():
        asked += [(work, subject, url, target) for subject, url in {**urls, **only_lists}.items()]
    alone: dict[tuple[str, str], list[Timing]] = defaultdict(list)
    busy: dict[tuple[str, str], list[Timing]] = defaultdict(list)
    for _ in range(ROUNDS):
        for work, subject, url, target in asked:
            for found, connections in ((alone, 1), (busy, CONNECTIONS)):
                timing = await timed(url, target, token, connections=connections, seconds=seconds / ROUNDS)
                found[subject, work].append(timing)
    return [
        Served(
            subject=subject,
            work=work,
            first_byte_p50_ms=median(each.first_byte_ms(50) for each in runs),
            first_byte_p99_ms=median(each.first_byte_ms(99) for each in runs),
            per_s=median(each.per_s for each in busy[subject, work]),
        )
        for (subject, work), runs in alone.items()
    ]
