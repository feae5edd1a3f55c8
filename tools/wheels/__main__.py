"""`make wheel-test`: what is published is installed where nothing else is, run, and measured.

The last line says what holds: the wheel is compiled and by how much it is cheaper; the sdist needs no compiler.
"""

import json
import sys
from pathlib import Path

from tools.wheels.bare import Bare, InstallError
from tools.wheels.modules import hot_modules
from tools.wheels.smoke import CONFIG

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
RUNS = 5
RATIO_MAX = 0.95
"""The compiled relay's CPU time, of the interpreted one's. What plays client and shards is interpreted in both: the
gateway alone differs by more (docs/bench.md)."""


def main() -> None:
    """Install both, and compare; the exit code is 1 where something does not hold."""
    try:
        wheel, sdist = _only("shardgate-*-cp*.whl"), _only("shardgate-*.tar.gz")
        compiled, interpreted = (Bare(ROOT / ".venv-bare" / name) for name in ("wheel", "sdist"))
        compiled.install(wheel)
        interpreted.install(sdist)
        modules = hot_modules()
        for bare in (compiled, interpreted):
            _runs(bare)
        found = [len(json.loads(bare.compiled(json.dumps(modules)))) for bare in (compiled, interpreted)]
        if found != [len(modules), 0]:
            raise InstallError(f"of {len(modules)} modules the wheel has {found[0]} compiled, and the sdist {found[1]}")
        costs = _costs([compiled, interpreted])
    except InstallError as error:
        sys.exit(f"wheel: {error}")
    for work in costs[0]:
        quick, slow = (cost[work] for cost in costs)
        print(
            f"wheel: a {work} takes {quick:.1f} µs of CPU time compiled, {slow:.1f} µs interpreted: {quick / slow:.2f}"
        )
    ratio = costs[0]["relay"] / costs[1]["relay"]
    print(f"wheel: {wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB; {sdist.name} installs without a compiler")
    if ratio > RATIO_MAX:
        sys.exit(f"wheel: a compiled relay takes {ratio:.2f} of an interpreted one's time, more than {RATIO_MAX}")
    print(
        f"wheel: {len(modules)} of {len(modules)} hot modules compiled, a relay at {ratio:.2f} of the interpreted price"
    )


def _costs(bares: list[Bare]) -> list[dict[str, float]]:
    """What each work costs in each environment: the least of several runs in turns, as what disturbs only adds."""
    least: list[dict[str, float]] = [{} for _ in bares]
    for _ in range(RUNS):
        for bare, known in zip(bares, least, strict=True):
            found = json.loads(bare.run("-m", "tools.wheels.price", folder=ROOT))
            known |= {work: min(cost, known.get(work, cost)) for work, cost in found.items()}
    return least


def _runs(bare: Bare) -> None:
    """The command is there, and reads a configuration."""
    file = ROOT / ".venv-bare" / "shardgate.yaml"
    file.write_text(CONFIG)
    bare.run("-m", "shardgate", "--version")
    if "is valid" not in (said := bare.run("-m", "shardgate", "check", "-c", str(file))):
        raise InstallError(f"`shardgate check` says: {said}")


def _only(pattern: str) -> Path:
    found = sorted(DIST.glob(pattern))
    if len(found) != 1:
        raise InstallError(f"dist/ has {len(found)} files like {pattern}: run `make wheel-test`")
    return found[0]


if __name__ == "__main__":
    main()
