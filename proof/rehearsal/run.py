"""One rehearsal, from the sources to the last rollback.

*Holds:* each step says when it begins, when it is over and what it found; none may run longer than `STEP_TIMEOUT_S`.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from proof.data import ROOT
from proof.rehearsal.balancer import ensure_here
from proof.rehearsal.checks import Given, checks_of, compared, load
from proof.rehearsal.clients import Clients
from proof.rehearsal.report import mistakes, summary
from proof.rehearsal.scanning import scanned
from proof.rehearsal.versions import FIRST, VERSIONS, Version, late
from proof.rehearsal.world import Built, World, open_place, open_staging, open_world
from tools.containers.engine import ContainersError, Engine
from tools.containers.image import build
from tools.delivery.deployment import Check, Deployment, Plan, RefusedError, Stage
from tools.delivery.smoke import smoke
from tools.delivery.traffic import access_token
from tools.delivery.verdict import Bounds

CHECKED_S = 8.0
"""How long a load is sent to the new version before clients are, at half of their rate. What the balancer saw of it is
compared with what it saw of the old version."""
RATE_MIN, PROBED_S, PROBED_MS_MAX = 5.0, 4.0, 1000.0
STAGED = Given(rate=8, seconds=8, reads=False)
PLAN = Plan(
    before_s=5,
    stages=(Stage(10, 15, longer=6), Stage(50, 6), Stage(100, 8)),
    bounds=Bounds(requests_min=25, p90_ratio_max=2.0, p90_slack_ms=250.0, p90_ms_max=15_000.0),
)
"""At 25 requests a second, 10 % for 15 s are 37 requests. The slack is for a machine that does other things, too: the
slow version is slower by 400 ms."""
STEP_TIMEOUT_S = 1800.0
TESTS = ("tests/core/wire", "tests/core/plan", "tests/delivery")
"""A selection: `make test` is for the pipeline."""
LOOKED_FOR = 200
"""So many of the orders that were confirmed are looked for."""

T = TypeVar("T")


class Options(msgspec.Struct, frozen=True):
    """Of the command line."""

    containers: bool
    rate: float
    quick: bool
    late: bool
    image: str
    """Empty: build one."""


def run(options: Options) -> int:
    """Walk the road; 0 where all went as it must."""
    _step("needs", lambda: _needs(options))  # said at the begin, and not after minutes
    if not options.quick:
        _step("lint", lambda: _ran("make", "--no-print-directory", "check"))
        _step("tests", lambda: _ran(sys.executable, "-m", "pytest", *TESTS))
    built = _step("image", lambda: _image(options.image)) if options.containers else None
    unscanned: Sequence[str] = ()
    if built is not None and not options.quick:
        _step("scanner", lambda: _ran("make", "--no-print-directory", ".venv-supply/.ready"))
        unscanned = _step("scan", lambda: _scanned(built.image))
        _step("SBOM", lambda: _ran("make", "--no-print-directory", "image-sbom", f"IMAGE={built.image}"))
    with tempfile.TemporaryDirectory(prefix="rehearsal-", ignore_cleanup_errors=True) as name:
        _step("staging", lambda: _staged(Path(name) / "staging", built))
        with open_place(Path(name) / "production", built) as place, open_world(place) as world:
            return _production(world, options, unscanned)


def _needs(options: Options) -> str:
    """What must be installed on this machine. Raises ContainersError where it is not, and cannot be."""
    ensure_here()
    if options.containers:
        Engine()
    return "haproxy, podman" if options.containers else "haproxy"


def _scanned(image: str) -> Sequence[str]:
    """What could not be looked up, which is said at once and again before the last line. The pipeline's own `make scan`
    is stricter: it ends the road there. Raises RefusedError where something is known to be wrong with the image."""
    found = scanned(image)
    for line in found.said:
        _say(f"    {line}")
    for line in found.unscanned:
        _say(f"NOT SCANNED HERE: {line}")
    return found.unscanned


def _image(given: str) -> Built:
    """The real image: built from this checkout, or one that was built before."""
    engine = Engine()
    if given:
        if not engine.has(given):
            raise RefusedError(f"there is no image {given}")
        return Built(engine, given)
    image = build(engine, "rehearsal")
    _say(f"image: {image.name}, {image.size_mb:.0f} MB")
    return Built(engine, image.name)


def _staged(folder: Path, built: Built | None) -> str:
    """The new version beside the one that production runs, on a platform of their own. Raises RefusedError."""
    new = VERSIONS[0]
    with open_place(folder, built) as place:
        for version in (FIRST, new):
            place.build(version)
        with open_staging(place, FIRST) as old_url, open_staging(place, new) as url:
            token = access_token(url)
            return f"{smoke(url, token)}; load: {compared(old_url, url, STAGED, PLAN.bounds, token)}"


def _production(world: World, options: Options, unscanned: Sequence[str]) -> int:
    """The deployments, with clients from before the first until after the last."""
    for version in (FIRST, *VERSIONS):
        _say(f"built: {world.place.build(version)}")
    world.begin(FIRST)
    _say(f"production: {FIRST.name} serves at {world.balancer.url}")
    token = access_token(world.balancer.url)
    rate = _carried(world.balancer.url, token, options.rate)
    enough_s = 2 * PLAN.bounds.requests_min / (rate / 2)
    checks = checks_of(Given(rate=rate / 2, seconds=max(CHECKED_S, enough_s)), token)
    began_at = time.monotonic()
    with Clients(world.balancer.url, rate, token) as clients:
        deployments = [_deployed(world, version, clients, checks) for version in VERSIONS]
        took_s = time.monotonic() - began_at
        told = clients.end()
    lost = _lost(world.balancer.url, token, told.acknowledged)
    _say(f"clients: {told.requests} requests in {took_s:.0f} s, {told.failed} failed, p90 {told.p90_ms:.0f} ms")
    _say(
        f"orders: {len(told.acknowledged)} confirmed, {min(len(told.acknowledged), LOOKED_FOR)} looked for, {lost} lost"
    )
    good = {version.name: version.is_good for version in VERSIONS}
    found = mistakes(deployments, good, told, requests_min=took_s * rate * 0.9, lost=lost)
    if options.late:
        found += _late(world, rate, checks, token)
    for line in found:
        _say(f"NOT AS IT MUST BE: {line}")
    for line in unscanned:
        _say(f"NOT SCANNED HERE: {line}")
    print(summary(deployments, told.failed), flush=True)
    return 1 if found else 0


def _carried(url: str, token: str, wished: float) -> float:
    """The rate of the clients: the wished one, or half of it, or a quarter, as this machine carries it now."""
    rate = wished
    while rate > RATE_MIN:
        try:
            sample = load(url, Given(rate=rate, seconds=PROBED_S), token)
        except RefusedError as refused:
            found = str(refused)
        else:
            found = sample.line()
            if sample.p90_ms <= PROBED_MS_MAX:
                break
        _say(f"clients: {rate:g} requests a second are too many for this machine now: {found}")
        rate = max(rate / 2, RATE_MIN)
    _say(f"clients: {rate:g} requests a second")
    return rate


def _deployed(world: World, version: Version, clients: Clients, checks: Sequence[Check]) -> Deployment:
    before = clients.failed
    _say(f"deploy {version.name}")
    deployment = world.deploy(version, checks, PLAN, lambda text: _say(f"    {text}"))
    _say(f"{deployment.line()}; {clients.failed - before} requests of clients failed meanwhile")
    return deployment


def _late(world: World, rate: float, checks: Sequence[Check], token: str) -> Sequence[str]:
    """A version that passes all checks, and fails when clients come: the watch must see it."""
    version = late(_best_event(world.balancer.url, token))
    world.place.build(version)
    with Clients(world.balancer.url, rate, token) as clients:
        deployment = _deployed(world, version, clients, checks)
        told = clients.end()
    print(f"late: {told.failed} of {told.requests} requests failed before {deployment.line()}", flush=True)
    if deployment.kept or not deployment.step.startswith("watch"):
        return [f"{version.name} was not found by the watch: {deployment.line()}"]
    return []


def _best_event(url: str, token: str) -> str:
    with _client(url, token) as client:
        return str(client.get("/v3/events?order=-rating&limit=1").json()[0]["id"])


def _lost(url: str, token: str, orders: Sequence[str]) -> int:
    """How many of the orders that clients were confirmed cannot be read."""
    with _client(url, token) as client:
        return sum(client.get(f"/v3/orders/{order}").status_code != 200 for order in orders[-LOOKED_FOR:])


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False)


def _step(name: str, work: Callable[[], T]) -> T:
    """Say that it begins, and how long it took. Ends the rehearsal where it fails."""
    _say(f"{name} …")
    began_at = time.monotonic()
    try:
        found = work()
    except (RefusedError, ContainersError) as refused:
        sys.exit(f"rehearsal: {name} failed: {refused}")
    _say(f"{name}: {f'{found}, ' if isinstance(found, str) else ''}{time.monotonic() - began_at:.1f} s")
    return found


def _ran(*command: str) -> str:
    """The last line that a command printed. Raises RefusedError where it fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=STEP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise RefusedError(f"`{' '.join(command)}` was not over in {STEP_TIMEOUT_S:g} s") from None
    said = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode != 0:
        raise RefusedError(f"`{' '.join(command)}` ended with {done.returncode}:\n" + "\n".join(said[-15:]))
    return said[-1] if said else "ok"


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
