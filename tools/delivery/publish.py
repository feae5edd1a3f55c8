"""Puts the image that was built into a registry, and says under which digest it is there.

    REGISTRY=123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate python -m tools.delivery.publish IMAGE

In a workflow the digest is the output `image` of the step: what is deployed is what was scanned, whatever a tag says
later.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.containers.engine import ContainersError, Engine
from tools.delivery.aws import AwsError

TIMEOUT_S = 120.0


def publish(engine: Engine, image: str, registry: str) -> str:
    """Push, and return `REGISTRY@sha256:…`. Raises ContainersError, AwsError."""
    with TemporaryDirectory() as name:
        known, digest = _signed_in(registry, Path(name)), Path(name) / "digest"
        target = f"docker://{registry}:{_version(image)}"
        engine("push", "--quiet", f"--authfile={known}", f"--digestfile={digest}", image, target)
        return f"{registry}@{digest.read_text().strip()}"


def _version(image: str) -> str:
    """The commit in a workflow, so that the registry tells which sources an image is of; else the image's own tag."""
    return os.environ.get("GITHUB_SHA") or image.rpartition(":")[2]


def _signed_in(registry: str, folder: Path) -> Path:
    """The file by which podman signs in. The password is on no command line. Raises AwsError."""
    command = ["aws", "ecr", "get-login-password"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    if done.returncode != 0:
        raise AwsError(f"`{' '.join(command)}`: {done.stderr.strip()}")
    file = folder / "auth.json"
    file.touch(mode=0o600)
    file.write_text(signed_in(registry, done.stdout.strip()))
    return file


def signed_in(registry: str, password: str) -> str:
    """What podman reads: the host of the registry, and name and password."""
    auth = base64.b64encode(f"AWS:{password}".encode()).decode()
    return json.dumps({"auths": {registry.partition("/")[0]: {"auth": auth}}})


def main() -> int:
    """Publish the image of the command line."""
    registry = os.environ.get("REGISTRY", "")
    if "/" not in registry:
        sys.exit(
            "publish: REGISTRY must name a repository, as in 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shardgate"
        )
    try:
        image = publish(Engine(), sys.argv[1], registry)
    except (AwsError, ContainersError) as error:
        sys.exit(f"publish: {error}")
    if (outputs := os.environ.get("GITHUB_OUTPUT")) is not None:
        with Path(outputs).open("a") as file:
            file.write(f"image={image}\n")
    print(f"publish: {image}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
