"""`make api-tests` without URL: the API tests against the monolith, then against the gateway over three shards, and the
verdicts compared.

The client of one role has spent its quota before: it is small here, so that it can be spent.
"""

import argparse
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from api_tests.outcome import Outcome, differences, read
from proof.data import CACHE, ROOT, prepare
from proof.fleet import Fleet, Server, token

SHARDS = 3
SCALE = 0.03
CALLS_A_MONTH = 4000
PYTHON = ROOT / ".venv-api/bin/python"
FOLDER = ROOT / ".api-tests"
SIDES = ("monolith", "gateway")
SPENDER = "vendor-4"
CLIENTS = " ".join(
    f"{role}={name}:{name}-secret{scope}"
    for role, name, scope in (
        ("whole", "marketplace", ""),
        ("vendor", "vendor-1", ""),
        ("narrow", "vendor-2", ":inventory_write"),
        ("narrow", "vendor-3", ":calendar_read"),
        ("fresh", "vendor-5", ""),
    )
)
_AT_ONCE = 8


def main() -> None:
    """Run both; exit with 1 where a test failed or the two differ."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("-k", dest="only", default="", help="only tests whose name has this")
    options.add_argument("--scale", type=float, default=SCALE, help="1 is 33,000 events")
    given = options.parse_args()
    data = prepare(given.scale, SHARDS).copy(CACHE / "api-tests")
    codes = {}
    with Fleet(data, CACHE / "api-tests", calls_a_month=CALLS_A_MONTH) as fleet:
        for side, server in zip(SIDES, (fleet.monolith, fleet.gateway), strict=True):
            print(f"\n{side}: {server.url}", flush=True)
            shutil.rmtree(FOLDER / side, ignore_errors=True)
            codes[side] = _tested(server, FOLDER / side, given.only)
    try:
        outcomes = {side: read(FOLDER / side) for side in SIDES}
    except FileNotFoundError as error:
        sys.exit(f"api-tests: a run did not end: {error.filename}")
    found = differences(outcomes["monolith"], outcomes["gateway"], SIDES)
    for each in found:
        print(f"differs: {each}")
    print(summary(outcomes["monolith"], outcomes["gateway"], len(found), _last_words(FOLDER / "gateway")))
    sys.exit(1 if found or any(codes.values()) else 0)


def summary(monolith: Outcome, gateway: Outcome, differing: int, coverage: str) -> str:
    """The last line."""
    tests = len({*monolith.verdicts, *gateway.verdicts})
    same = "monolith = gateway" if not differing else f"monolith and gateway differ in {differing}"
    failed = max(monolith.count("failed"), gateway.count("failed"))
    return f"api-tests: {tests} tests, {same}, {failed} failed, {coverage}"


def _tested(server: Server, folder: Path, only: str) -> int:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        spent = _spent(client)
    command = [str(PYTHON), "-m", "api_tests", "--url", server.url, "--into", str(folder)]
    command += ["-k", only] if only else []
    environment = {**os.environ, "API_CLIENTS": CLIENTS, "API_SPENT_TOKEN": spent}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _spent(client: httpx.Client) -> str:
    """The token of a client that has made its last call of the month."""
    client.headers["Authorization"] = f"Bearer {token(client, SPENDER)}"

    def spend(_: int) -> bool:
        return any(client.get("/octo/capabilities").status_code == 429 for _ in range(CALLS_A_MONTH + 1))

    with ThreadPoolExecutor(_AT_ONCE) as several:
        if not all(several.map(spend, range(_AT_ONCE))):
            raise RuntimeError(f"the quota is not spent after {CALLS_A_MONTH} calls")
    return client.headers["Authorization"].removeprefix("Bearer ")


def _last_words(folder: Path) -> str:
    """How much of the document the run saw, as it said itself."""
    return (folder / "coverage.txt").read_text().strip()


if __name__ == "__main__":
    main()
