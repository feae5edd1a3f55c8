"""Which modules a wheel has compiled."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def hot_modules() -> list[str]:
    """The modules that a wheel has compiled, by their names."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    return [f"shardgate.{name.replace('/', '.')}" for name in table["hooks"]["custom"]["modules"]]
