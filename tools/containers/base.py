"""The bases of the image, made from the packages of this machine's Debian where none can be pulled.

`localhost/base-…` has Python and no more; `localhost/build-base-…` also a C compiler and Python's headers.

Holds: a base is made once, and kept with the images.
"""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.containers.engine import ContainersError, Engine, ensure

RUNTIME = ("python3", "ca-certificates")
BUILD = (*RUNTIME, "python3-venv", "python3-dev", "gcc", "libc6-dev")
# What no program reads. The licences of packages stay.
_WITHOUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*")


def bases(engine: Engine) -> tuple[str, str]:
    """The base of the image and that of its build: the given ones, or those that are made here.

    BASE and BUILD_BASE in the environment name others, which podman then pulls.
    """
    given = os.environ.get("BASE"), os.environ.get("BUILD_BASE")
    if given[0] and given[1]:
        return given[0], given[1]
    if given[0] or given[1]:
        raise ContainersError("BASE and BUILD_BASE are of one version of Python: name both, or neither")
    return made(engine, "base", RUNTIME), made(engine, "build-base", BUILD)


def made(engine: Engine, name: str, packages: tuple[str, ...]) -> str:
    """An image of packages of this Debian, which is made once. Raises ContainersError."""
    suite = _suite()
    image = f"localhost/{name}-{suite}:1"
    if engine.has(image):
        return image
    ensure("mmdebstrap")
    print(f"containers: making {image} of {suite} (once)", flush=True)
    with TemporaryDirectory(prefix="base-", dir=engine.folder) as folder:
        archive = Path(folder) / "rootfs.tar"
        _bootstrap(archive, suite, packages)
        engine("import", "--quiet", str(archive), image)
    return image


def _bootstrap(archive: Path, suite: str, packages: tuple[str, ...]) -> None:
    without = [f"--dpkgopt=path-exclude={each}" for each in _WITHOUT]
    kept = ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    command = ["mmdebstrap", "--quiet", "--variant=essential", "--mode=root", f"--include={','.join(packages)}"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "1704067200")}
    done = subprocess.run(
        [*command, *without, *kept, suite, str(archive)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ContainersError(f"mmdebstrap failed:\n{(done.stdout + done.stderr)[-2000:]}")


def _suite() -> str:
    """The name of this Debian. Raises ContainersError elsewhere."""
    lines = Path("/etc/os-release").read_text().splitlines()
    known = dict(line.split("=", 1) for line in lines if "=" in line)
    if shutil.which("apt-get") is None or "VERSION_CODENAME" not in known or known.get("ID") != "debian":
        raise ContainersError("no base can be made here, as this is no Debian: name BASE and BUILD_BASE")
    return known["VERSION_CODENAME"].strip('"')
