"""Builds the gateway's image from this checkout, by deploy/image/Dockerfile.

Holds: the same sources give the same image: times are those of the last commit, or of SOURCE_DATE_EPOCH.
Never: lets settings of this machine (certificates, settings of pip) get into the image: they are mounted for the build.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.containers.base import bases
from tools.containers.engine import ROOT, Engine

NAME = "localhost/shardgate"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_FOLDER = ROOT / "deploy/image"
_PARTS = ("src", "deploy/image", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "requirements-supply.lock")
_CONTENTS: Final = ("RootFS", "Config", "Healthcheck", "HealthCheck", "Architecture", "Os", "Created", "User", "Labels")


@dataclass(frozen=True)
class Image:
    """An image that was built."""

    name: str
    id: str
    size_bytes: int
    """Unpacked, with its base."""
    own_bytes: int
    """Unpacked, without its base."""
    layers: tuple[str, ...]
    """The digest of each layer, unpacked; those of the base come first."""
    contents: str
    """One digest of all layers and of all that says how the image is run. podman's own digest is of more: of the names
    of the containers in which it was built, which are made up anew each time."""

    @property
    def size_mb(self) -> float:
        """In units of a million bytes, as `podman images` prints it."""
        return self.size_bytes / 1e6


def build(engine: Engine, tag: str = "dev", *, source: Path = ROOT, fresh: bool = False) -> Image:
    """Build the image from a checkout. `fresh`: no layer of an earlier build is used. Raises ContainersError."""
    base, build_base = bases(engine)
    epoch = str(source_date_epoch(source))
    name = f"{NAME}:{tag}"
    engine(
        "build", "--quiet", "--format=docker", "--network=host", f"--timestamp={epoch}",
        f"--build-arg=BASE={base}", f"--build-arg=BUILD_BASE={build_base}", f"--build-arg=SOURCE_DATE_EPOCH={epoch}",
        f"--ignorefile={_FOLDER / 'Dockerfile.dockerignore'}", f"--file={_FOLDER / 'Dockerfile'}",
        *(["--no-cache"] if fresh else []), *settings_of_pip(engine), f"--tag={name}", str(source),
        within_s=1800,
    )  # fmt: skip
    return inspect(engine, name)


def inspect(engine: Engine, name: str) -> Image:
    """What is known of an image. Raises ContainersError where there is none."""
    base, _ = bases(engine)
    known, below = (json.loads(engine("image", "inspect", each))[0] for each in (name, base))
    own = known["Size"] - below["Size"]
    return Image(name, known["Id"], known["Size"], own, tuple(known["RootFS"]["Layers"]), contents_of(known))


def contents_of(known: Mapping[str, Any]) -> str:
    """The digest, of what `podman image inspect` says."""
    parts = {part: known.get(part) for part in _CONTENTS}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def source_date_epoch(source: Path = ROOT) -> int:
    """The instant that all times in the image are set to: the last commit of what the image is made of."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    command = ["git", "-C", str(source), "log", "-1", "--format=%ct", "--", *_PARTS]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def settings_of_pip(engine: Engine) -> Iterator[str]:
    """Mounts for the build alone: where pip finds its registry, and the authorities that this machine trusts."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    known = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    wanted = {name: value.strip("'\"") for name, value in known.items() if name.endswith((".index-url", ".proxy"))}
    lines = [f"{name.rpartition('.')[2]} = {value}" for name, value in wanted.items()]
    if _CERTIFICATES.is_file():
        lines.append(f"cert = {_CERTIFICATES}")
        yield f"--volume={_CERTIFICATES}:{_CERTIFICATES}:ro"
    settings = engine.folder / "pip.conf"
    settings.write_text("\n".join(["[global]", *lines, ""]))
    yield f"--volume={settings}:/etc/pip.conf:ro"
