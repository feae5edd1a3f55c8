"""Packages with entry points, as an installer leaves them."""

from collections.abc import Mapping
from importlib import invalidate_caches
from pathlib import Path

import pytest


def install(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, code: str, points: Mapping[str, Mapping[str, str]]
) -> None:
    """A module of this name and code, and its entry points: group → name → `module:Class`."""
    site = folder / f"site-of-{name}"
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / f"{name}.py").write_text(code)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line for group, named in points.items() for line in (f"[{group}]", *(f"{n} = {v}" for n, v in named.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(site))
    invalidate_caches()
