"""Builds the stand-in for the AWS provider: the schema of the types that are used, compiled into a Go program.

Holds: what is up to date is kept: a build takes a minute the first time, and a second later.
"""

import hashlib
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tools.terraform.layout import MADE
from tools.terraform.schema import schema, used_types

HERE: Final = Path(__file__).resolve().parent
LOCK: Final = HERE / "provider.lock"
_SOURCES: Final = ("main.go", "values.go", "go.mod", "go.sum")
_READERS: Final = ("schema.py", "typescript.py", "waf.py", "provider.lock")


def build(made: Path = MADE) -> Path:
    """Build the provider; returns the configuration for Terraform's command line that leads to it."""
    source = made / "source"
    source.mkdir(parents=True, exist_ok=True)
    types = used_types()
    if _is_stale(made, types):
        written = schema(_wheel(made), types)
        (source / "schema.json").write_text(json.dumps(written, separators=(",", ":"), sort_keys=True))
        (made / "stamp").write_text(_stamp(types))
    for name in _SOURCES:
        shutil.copyfile(HERE / "provider" / name, source / name)
    version = json.loads((source / "schema.json").read_text())["version"]
    # The folders' names are Terraform's: host of the address / namespace / type / version / platform.
    folder = made / "mirror" / "registry.terraform.io" / "hashicorp" / "aws" / version / _platform()
    command = [
        "go",
        "build",
        "-trimpath",
        "-ldflags=-s -w",
        "-o",
        str(folder / f"terraform-provider-aws_v{version}"),
        ".",
    ]
    subprocess.run(command, cwd=source, check=True)
    return _configuration(made)


def _is_stale(made: Path, types: set[str]) -> bool:
    stamp = made / "stamp"
    return not (made / "source" / "schema.json").exists() or not stamp.exists() or stamp.read_text() != _stamp(types)


def _stamp(types: set[str]) -> str:
    readers = b"".join((HERE / name).read_bytes() for name in _READERS)
    return hashlib.sha256(readers + " ".join(sorted(types)).encode()).hexdigest()


def _wheel(made: Path) -> Path:
    """The wheel with the schema, as the lock file names it."""
    if not (found := sorted(made.glob("wheel/*.whl"))):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--require-hashes", "-r", str(LOCK), "--dest", str(made / "wheel")]
        subprocess.run(command, check=True)
        found = sorted(made.glob("wheel/*.whl"))
    return found[0]


def _platform() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{machine}"


def _configuration(made: Path) -> Path:
    file = made / "terraform.rc"
    file.write_text(
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{made / "mirror"}"\n    include = ["hashicorp/aws"]\n  }}\n'
        '  direct {\n    exclude = ["hashicorp/aws"]\n  }\n}\n'
    )
    return file
