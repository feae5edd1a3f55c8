"""Runs Terraform in a copy of the code, on the stand-in for AWS.

Holds: one process of Terraform at a time; no credentials and no account of whoever runs it are used.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

_BACKEND: Final = 'terraform {\n  backend "local" {}\n}\n'
_COUNTS: Final = re.compile(r"(?:Success|Failure)! (\d+) passed, (\d+) failed")
_LEFT_OUT: Final = ("AWS_", "TF_")


class TerraformError(Exception):
    """Terraform refused something: its own words."""


class Terraform:
    """Terraform in one folder."""

    def __init__(self, folder: Path, configuration: Path) -> None:
        """`configuration` leads Terraform to the provider."""
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
        self._environment = {
            **kept,
            "TF_CLI_CONFIG_FILE": str(configuration),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "AWS_REGION": "eu-west-1",
        }

    def validate(self) -> None:
        """Every argument is one that the provider knows. Raises TerraformError."""
        self._run("init", "-backend=false", "-input=false")
        self._run("validate")

    def test(self, *options: str) -> tuple[int, int]:
        """How many of the tests passed and failed. Raises TerraformError if one failed."""
        said = self._run("test", *options)
        found = _COUNTS.search(said)
        if found is None or not int(found[1]):
            raise TerraformError(f"{self.folder}: no test ran\n{said}")
        return int(found[1]), int(found[2])

    def apply_twice(self, *options: str) -> int:
        """Plan, apply, and plan again; returns how many resources were made. Raises TerraformError.

        The second plan must find nothing to do: else each deployment would change something that nobody asked for.
        """
        (self.folder / "backend_override.tf").write_text(_BACKEND)
        (self.folder / "terraform.tfstate").unlink(missing_ok=True)
        self._run("init", "-reconfigure", "-input=false")
        self._run("plan", "-input=false", "-out=plan.bin", *options)
        applied = self._run("apply", "-input=false", "plan.bin")
        again = self._run("plan", "-input=false", "-detailed-exitcode", *options)
        (self.folder / "backend_override.tf").unlink()
        made = re.search(r"Resources: (\d+) added", applied)
        if made is None or "No changes." not in again:
            raise TerraformError(f"{self.folder}: the second plan changes something\n{again}")
        return int(made[1])

    def is_formatted(self) -> bool:
        """Whether `terraform fmt` would change nothing."""
        return not self._run("fmt", "-check", "-recursive", allowed=(0, 3)).strip()

    def _run(self, verb: str, *options: str, allowed: tuple[int, ...] = (0,)) -> str:
        colour = [] if verb == "fmt" else ["-no-color"]
        command = ["terraform", verb, *colour, *options]
        ran = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ran.returncode not in allowed:
            raise TerraformError(f"{self.folder}: {' '.join(command)}\n{ran.stdout}")
        return ran.stdout
