"""Uses the code of an example, such as the one that makes its data, without installing it."""

import importlib.util
import sys
from typing import Any

from proof.data import ROOT


def module(example: str, name: str) -> Any:
    """A module of `examples/EXAMPLE/`."""
    path = ROOT / "examples" / example / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"examples.{example}.{name}", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded
