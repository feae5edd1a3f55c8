"""`shardgate split` as a command: what it needs, and how it ends."""

import subprocess
import sys


def test_the_command_loads_without_the_extra_and_says_what_to_install() -> None:
    """The table of commands imports this one, and `shardgate serve` must run without database drivers."""
    script = """
import sys
sys.modules["sqlalchemy"] = sys.modules["psycopg"] = None
import typer
from shardgate.cli.split import split
app = typer.Typer()
app.command()(split)
app(["--source", "sqlite:///x", "--tenant", "t", "--directory", "d", "--into", "sqlite:///y"])
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "pip install 'shardgate[split]'" in ended.stderr
