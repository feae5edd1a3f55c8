"""Runs the commands of a page in order, in a new folder, and compares what they print with what the page shows.

    python -m tools.docs.walkthrough docs/tutorial.md [--install] [--write]

One shell runs all `sh` blocks. A block with a title is written to a file. A `text` or `json` block directly behind
commands is what they print: `…` in it stands for anything, and a line `…` for any lines. `--install` also runs the
commands that install the project, from a clone. `--write` puts what was printed where the page shows something else.

Holds: the ports that the page names are replaced by ones that are reserved for it, so that it runs beside anything.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tools.docs.blocks import Block, blocks_in
from tools.ports import reserved_port

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "<address of this repository>"
TIMEOUT_S = 300.0
OUTPUT = ("text", "json")
"""The languages of blocks that show what commands print."""
_PORT = re.compile(r"(?<=[: ])8[01]\d\d\b")


class Step(NamedTuple):
    """Commands, and what the page says that they print."""

    commands: Block
    shown: Block | None
    exit: int


class Outcome(NamedTuple):
    """What became of a step."""

    step: Step
    printed: str
    """What the commands printed; with the page's own ports."""
    exit: int | None
    """How they ended; None: the shell did not come to them."""

    @property
    def problem(self) -> str:
        """What is not as the page says; empty: nothing."""
        if self.exit is None:
            return "was not reached"
        if self.exit != self.step.exit:
            return f"ended with {self.exit}, and the page says {self.step.exit}"
        if self.step.shown is not None and not matches(self.step.shown.text, self.printed):
            return "printed something else than the page shows"
        return ""


def run(page: str, folder: Path, *, install: bool = False) -> list[Outcome]:
    """Run the page in this folder."""
    ports = {port: str(reserved_port()) for port in sorted({*_PORT.findall(page)})}
    steps, script = _script(page, ports, folder, install=install)
    shell = subprocess.Popen(
        ["bash", "--norc", "-c", script],
        cwd=folder,
        env=_environment(install=install),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        shell.wait(TIMEOUT_S)
    finally:
        _end(shell)
    back = {free: port for port, free in ports.items()}
    return [_outcome(step, folder / f".step-{number}", back) for number, step in enumerate(steps)]


def matches(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed."""
    lines = [
        r"(?:.*\n)*?" if line.strip() == "…" else ".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ \t]*\n"
        for line in shown.strip("\n").split("\n")
    ]
    return re.fullmatch("".join(lines), printed.strip("\n") + "\n") is not None


def corrected(page: str, outcomes: Sequence[Outcome]) -> str:
    """The page with what was printed, where it shows something else."""
    for outcome in reversed(outcomes):
        shown = outcome.step.shown
        if shown is not None and outcome.problem:
            page = f"{page[: shown.start]}{_trimmed(outcome.printed)}{page[shown.start + len(shown.text) :]}"
    return page


def _script(page: str, ports: Mapping[str, str], folder: Path, *, install: bool) -> tuple[list[Step], str]:
    """The steps, and the shell's own program: it notes how each ends, and stops where one ends otherwise than told."""
    steps: list[Step] = []
    program = []
    blocks = blocks_in(page)
    for block, next_block in zip(blocks, [*blocks[1:], None], strict=True):
        if block.title:
            mark = f"END-{block.start}"
            program.append(f"cat > {block.title} <<'{mark}'\n{_replaced(block.text, ports)}{mark}")
        if block.language != "sh" or block.title or (block.run == "install" and not install):
            continue
        shown = next_block if next_block is not None and next_block.behind and next_block.language in OUTPUT else None
        ends = int(block.run.removeprefix("exit ")) if block.run.startswith("exit ") else 0
        name = folder / f".step-{len(steps)}"
        commands = _replaced(block.text, ports).replace(ADDRESS, str(ROOT))
        program.append(f"exec >{name}.out 2>&1\n{_noting(commands, f'{name}.exit', strict=ends == 0)}")
        program.append(f'[ "$(cat {name}.exit)" = {ends} ] || exit 1')
        steps.append(Step(block, shown, ends))
    return steps, "\n".join(program)


def _noting(commands: str, file: str, *, strict: bool) -> str:
    """Commands that note how they end. `strict`: the first that fails ends them, and the shell."""
    if strict:
        return f"trap 'echo $? >{file}' EXIT\nset -e\n{commands}set +e\necho 0 >{file}\ntrap - EXIT"
    return f"{commands}echo $? >{file}"


def _outcome(step: Step, name: Path, ports: Mapping[str, str]) -> Outcome:
    printed, ended = name.with_suffix(".out"), name.with_suffix(".exit")
    text = printed.read_text() if printed.exists() else ""
    return Outcome(step, _replaced(text, ports), int(ended.read_text()) if ended.exists() else None)


def _replaced(text: str, ports: Mapping[str, str]) -> str:
    for port, other in ports.items():
        text = re.sub(rf"(?<=[: ]){port}\b", other, text)
    return text


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").split("\n"))


def _environment(*, install: bool) -> dict[str, str]:
    """What the commands see: the programs of this environment, or nothing but the machine's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BOOKINGS_", "SHARDGATE_"))}
    kept |= {"COLUMNS": "100", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    if install:
        return {name: value for name, value in kept.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"}


def _end(shell: subprocess.Popen[bytes]) -> None:
    """End the shell and all that it has left running."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(shell.pid, number)
        except ProcessLookupError:
            break
    shell.wait()


def main() -> None:
    """Run a page, and say what is not as it says."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("page", type=Path, nargs="?", default=ROOT / "docs/tutorial.md")
    options.add_argument("--install", action="store_true")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    text = given.page.read_text()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run(text, Path(folder), install=given.install)
    wrong = [outcome for outcome in outcomes if outcome.problem]
    for outcome in wrong:
        print(f"--- {outcome.problem}:\n{outcome.step.commands.text}--- it printed:\n{outcome.printed}")
    if given.write:
        given.page.write_text(corrected(text, outcomes))
    print(f"{given.page.name}: {len(outcomes) - len(wrong)} of {len(outcomes)} steps are as the page says")
    if wrong and not given.write:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
