"""Terraform for one environment: `deploy/terraform/roots/environment` with its variables and its state.

*Holds:* the image is the only thing that a deployment gives; all else is in `environments/NAME.tfvars`.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / "deploy" / "terraform" / "roots" / "environment"
TIMEOUT_S = 3600.0


class TerraformError(Exception):
    """A command failed; the text ends with what Terraform said."""


class Terraform:
    """The commands for one environment: `staging` or `production`."""

    def __init__(self, environment: str) -> None:
        self._environment = environment

    def init(self) -> None:
        """Read the state. Raises TerraformError."""
        self._run("init", "-input=false", f"-backend-config=../../environments/{self._environment}.s3.tfbackend")

    def apply(self, image: str) -> None:
        """Apply, and wait for the service as Terraform does. Raises TerraformError."""
        self._run(*_apply(self._environment, image))

    def applying(self, image: str, log: Path) -> "subprocess.Popen[bytes]":
        """The same, beside other work; its output goes to a file."""
        with log.open("wb") as output:
            return subprocess.Popen(command(*_apply(self._environment, image)), stdout=output, stderr=output, cwd=ROOT)

    def outputs(self) -> dict[str, Any]:
        """Name → value. Raises TerraformError."""
        return {name: each["value"] for name, each in json.loads(self._run("output", "-json")).items()}

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            command(*arguments), capture_output=True, text=True, check=False, timeout=TIMEOUT_S, cwd=ROOT
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()[-2000:]
            raise TerraformError(f"`terraform {arguments[0]}` failed:\n{said}")
        return done.stdout


def command(*arguments: str) -> list[str]:
    """A command line of Terraform for the environment's root."""
    return ["terraform", f"-chdir={ENVIRONMENT}", *arguments]


def _apply(environment: str, image: str) -> list[str]:
    variables = [f"-var-file=../../environments/{environment}.tfvars", f"-var=image={image}"]
    return ["apply", "-input=false", "-auto-approve", "-no-color", *variables]
