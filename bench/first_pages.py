"""`python -m bench.first_pages`: whether to ask each shard for the rows of a first page that it probably has, or all.

A page of R rows over N shards could be made of R/N rows and a margin of each shard, with a second round where a shard
had more. Here the reference platform is asked, shard by shard, for as many rows as each way needs, in turns; and for
each order it is counted how often the margin would have been too small. Rule of thumb for the margin: three deviations.
"""

import time
from math import ceil, sqrt
from statistics import median, quantiles

import httpx

from proof.data import CACHE, prepare
from proof.fleet import Fleet

SHARDS, ROWS, TURNS = 3, (20, 50, 100), 400
ORDERS = ("id", "created_at", "price", "name", "city")
SKIPS = 40


def main() -> None:
    """Measure both ways, and print a table."""
    data = prepare(1.0, SHARDS).copy(CACHE / "first-pages")
    with Fleet(data, CACHE / "first-pages") as fleet, fleet.client(fleet.monolith) as monolith:
        shard = next(iter(fleet.shards.values()))
        headers = dict(monolith.headers)
        with httpx.Client(base_url=shard.url, headers=headers) as client:
            print("rows of a page   asked   median ms   p99 ms")
            for rows in ROWS:
                _time(client, rows)
        print("order        rows   second rounds")
        for order in ORDERS:
            for rows in ROWS:
                _count(fleet, headers, order, rows)


def _few(rows: int) -> int:
    """The rows that a shard probably has of a page, and a margin."""
    share = 1 / SHARDS
    return min(rows, ceil(rows * share + 3 * sqrt(rows * share * (1 - share))))


def _time(client: httpx.Client, rows: int) -> None:
    """One shard, asked for few rows and for all, in turns."""
    took: dict[int, list[float]] = {_few(rows): [], rows: []}
    for _ in range(TURNS):
        for asked, times in took.items():
            began = time.perf_counter()
            client.get(f"/v3/events?limit={asked}").raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
    for asked, times in took.items():
        print(f"{rows:>14}{asked:>8}{median(times):>12.2f}{quantiles(times, n=100)[98]:>9.2f}", flush=True)


def _count(fleet: Fleet, headers: dict[str, str], order: str, rows: int) -> None:
    """In how many pages a shard has more rows than it would be asked for: taken from all along the list."""
    lists = []
    for name, shard in fleet.shards.items():
        url = f"{shard.url}/v3/events?order={order}&fields=id,{order}"
        found = httpx.get(url, headers=headers, timeout=60).raise_for_status().json()
        lists += [(row[order], row["id"], name) for row in found]
    lists.sort()
    step = len(lists) // SKIPS
    pages = [lists[start : start + rows] for start in range(0, step * SKIPS, step)]
    few = _few(rows)
    late = sum(max(sum(row[2] == name for row in page) for name in fleet.shards) > few for page in pages)
    print(f"{order:<11}{rows:>6}{late:>9} of {len(pages)}", flush=True)


if __name__ == "__main__":
    main()
