"""Where things are: the code under test, and what is made of it."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ROOT / "deploy" / "terraform"
MODULES: Final = CODE / "modules"
ROOTS: Final = ("account", "environment")
"""The folders of `deploy/terraform/roots`."""
ENVIRONMENTS: Final = ("staging", "production")
MADE: Final = ROOT / ".terraform-test"
"""The provider, its plugin cache, and a copy of the code, in which Terraform may write."""
VENV: Final = ROOT / ".venv-terraform"


def modules() -> list[str]:
    """The modules by name."""
    return sorted(each.name for each in MODULES.iterdir() if each.is_dir())
