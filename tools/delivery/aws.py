"""The AWS command line: one command, one JSON document."""

import json
import subprocess
from typing import Any, Protocol

TIMEOUT_S = 120.0


class AwsError(Exception):
    """A command failed; the text is what AWS said."""


class Aws(Protocol):
    """Runs a command: `aws("ecs", "describe-services", …)`. Raises AwsError."""

    def __call__(self, *arguments: str) -> Any:
        """The document that it answers with."""


def aws(*arguments: str) -> Any:
    """By the program `aws`, as the role that the environment gives."""
    command = ["aws", *arguments, "--output", "json", "--no-cli-pager"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AwsError(f"`aws {' '.join(arguments[:2])}`: {error}") from error
    if done.returncode != 0:
        raise AwsError(f"`aws {' '.join(arguments[:2])}`: {done.stderr.strip()[-1000:]}")
    return json.loads(done.stdout or "null")
