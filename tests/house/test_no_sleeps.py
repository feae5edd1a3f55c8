"""No test sleeps to let time pass: it waits for what it needs by tests/waiting.py, or is given a clock.

A test that sleeps is slow on a quiet machine, and wrong on a busy one.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELPER = "tests/waiting.py"


def sleeps(source: str) -> list[int]:
    """The lines on which something named `sleep` is called."""
    if "sleep" not in source:  # to parse all files takes a second
        return []
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        call.lineno
        for call in calls
        if (isinstance(call.func, ast.Attribute) and call.func.attr == "sleep")
        or (isinstance(call.func, ast.Name) and call.func.id == "sleep")
    ]


def test_no_test_sleeps() -> None:
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("examples/*/tests/**/*.py")]
    assert len(files) > 100
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in sorted(files)
        if file != ROOT / HELPER
        for line in sleeps(file.read_text())
    ]
    assert found == [], f"wait for an event by {HELPER}, or pass the time in"


def test_a_sleep_is_found() -> None:
    assert sleeps("import time\ntime.sleep(1)\nfrom asyncio import sleep\nawait sleep(0)\nsleeping(1)") == [2, 4]
