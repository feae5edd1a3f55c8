"""A read counts as stale if it does not show a write that was acknowledged before."""

import random
from collections import Counter

import httpx

from bench.study.staleness import READS_AT_LEAST, Observer, Vendors

LATE_READS = 3


async def test_a_read_is_stale_until_it_shows_the_write() -> None:
    reads: Counter[str] = Counter()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return httpx.Response(204)
        reads[request.url.host] += 1
        gone = request.url.host == "gateway" or reads["copy"] > LATE_READS
        return httpx.Response(404 if gone else 200)

    chance = random.Random(1)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        vendors = Vendors(["http://instance"], client, chance)
        observer = Observer(vendors, {"copy": "http://copy", "gateway": "http://gateway"}, client)
        await observer.run(0, 0.0, [("http://instance", "7")], chance)
    late, prompt = observer.lags("copy")["delete"], observer.lags("gateway")["delete"]
    assert (late.stale_reads, late.first_read_stale, late.writes) == (LATE_READS, 1, 1)
    assert late.lag_max_s > 0
    assert (prompt.stale_reads, prompt.lag_max_s, prompt.reads) == (0, 0, READS_AT_LEAST)
