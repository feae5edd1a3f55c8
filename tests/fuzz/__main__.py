"""`make fuzz TIME=600 TARGET=request_head`: look for inputs that break a parser, guided by coverage where it can be.

With atheris (`.venv-fuzz`, made by `make fuzz`) the parsers are instrumented, and inputs that reach new code are kept
in `.fuzz/TARGET/`. Without it, or on compiled parsers, inputs are mutated without guidance. An input that breaks a
parser is written to `tests/fuzz/found/TARGET/`, and ends the run.
"""

import argparse
import hashlib
import subprocess
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from tests.fuzz.mutation import inputs
from tests.fuzz.target import FOUND, Target, found

KEPT = Path(".fuzz")


def main() -> None:
    """Fuzz one target, or all, each for its share of the time."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--time", type=float, default=60.0, help="seconds in all")
    parser.add_argument("--target", default="", help="one target; all without it")
    parser.add_argument("--seed", type=int, default=None, help="the same inputs again, without guidance")
    options = parser.parse_args()
    guided = options.seed is None and find_spec("atheris") is not None
    names = _names(guided)
    if options.target and options.target not in names:
        parser.error(f"no target is named {options.target!r}; there are {', '.join(names)}")
    chosen = [options.target] if options.target else names
    if guided and len(chosen) > 1:
        sys.exit(_one_after_the_other(chosen, options.time / len(chosen)))
    for name in chosen:
        _fuzz(name, options.time / len(chosen), guided=guided, seed=options.seed)


def _names(guided: bool) -> list[str]:
    if guided:
        atheris = import_module("atheris")  # a tool: only Linux has it

        with atheris.instrument_imports(include=["shardgate"]):
            from tests.fuzz.targets import TARGETS
    else:
        from tests.fuzz.targets import TARGETS
    return list(TARGETS)


def _one_after_the_other(names: list[str], each_s: float) -> int:
    """libFuzzer ends its process: each target has one of its own."""
    failed = 0
    for name in names:
        command = [sys.executable, "-m", "tests.fuzz", "--target", name, "--time", f"{each_s:.0f}"]
        failed += subprocess.run(command, check=False).returncode != 0
    print(f"fuzz: {len(names)} targets, {failed} broken")
    return 1 if failed else 0


def _fuzz(name: str, time_s: float, *, guided: bool, seed: int | None) -> None:
    from tests.fuzz.targets import TARGETS

    target = TARGETS[name]
    if guided:
        _guided(name, target, time_s)
    else:
        _unguided(name, target, time_s, seed if seed is not None else time.time_ns())


def _guided(name: str, target: Target, time_s: float) -> None:
    atheris = import_module("atheris")

    corpus = KEPT / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate((*target.seeds, *found(name))):
        (corpus / f"seed-{number}").write_bytes(data)

    def once(data: bytes) -> None:
        _tried(name, target, data)

    atheris.Setup(
        ["fuzz", str(corpus), f"-max_total_time={int(time_s)}", "-max_len=4096", "-print_final_stats=1"], once
    )
    atheris.Fuzz()


def _unguided(name: str, target: Target, time_s: float, seed: int) -> None:
    end_s, tried = time.monotonic() + time_s, 0
    for data in inputs((*target.seeds, *found(name)), f"{seed} {name}"):
        _tried(name, target, data)
        tried += 1
        if time.monotonic() > end_s:
            break
    print(f"{name}: {tried:,} inputs, none broke it (seed {seed})", flush=True)


def _tried(name: str, target: Target, data: bytes) -> None:
    try:
        target.run(data)
    except Exception:
        kept = FOUND / name / hashlib.sha256(data).hexdigest()[:12]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(data)
        print(f"{name}: an input of {len(data)} bytes broke it; it is kept in {kept}", flush=True)
        raise


if __name__ == "__main__":
    main()
