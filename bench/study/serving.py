"""The same requests to the monolith, to the copy and through the gateway, on the real platform."""

from collections import defaultdict
from collections.abc import Mapping
from statistics import median

from bench.study.first_byte import Timing, timed
from bench.study.report import Served

CONNECTIONS = 8
ROUNDS = 3


async def served(urls: Mapping[str, str], event: str, token: str, *, seconds: float) -> list[Served]:
    """Time to first byte at one connection, and requests a second at eight, in interleaved rounds; medians."""
    works = {
        "one event": f"/v3/events/{event}",
        "10 events by name": "/v3/events?order=name&limit=10",
        "20 events by name, from 8,000 on": "/v3/events?order=name&limit=20&offset=8000",
    }
    alone: dict[tuple[str, str], list[Timing]] = defaultdict(list)
    busy: dict[tuple[str, str], list[Timing]] = defaultdict(list)
    for _ in range(ROUNDS):
        for work, target in works.items():
            for subject, url in urls.items():
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
