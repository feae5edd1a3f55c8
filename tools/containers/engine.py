"""podman with a store of its own: images and containers of a proof do not mix with those of the machine.

Holds: what is missing is installed where that is possible (Debian, as root); otherwise an error says what to install.
Never: touches the machine's own images, containers or settings.
"""

import hashlib
import os
import resource
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_LIMIT_MAX = 32_768
_PACKAGES = {"podman": "podman", "runc": "runc"}


class ContainersError(Exception):
    """Containers cannot be built or run here; the message says why."""


def folder() -> Path:
    """Where bases, images and containers are kept: CONTAINERS_CACHE, or `.containers/` of this checkout."""
    return Path(os.environ.get("CONTAINERS_CACHE", ROOT / ".containers")).resolve()


def lacking(programs: Iterable[str] = _PACKAGES) -> list[str]:
    """The programs that are not on the PATH."""
    return [name for name in programs if shutil.which(name) is None]


def ensure(*packages: str) -> None:
    """Install programs that are missing, each from the package of its name. Raises ContainersError."""
    missing = lacking(packages)
    if not missing:
        return
    command = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ContainersError(f"there is no {', '.join(missing)}. Install: `{' '.join(command)}`, as root")
    print(f"containers: installing {', '.join(missing)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for each in (["apt-get", "update", "-q"], command):
        done = subprocess.run(each, env=environment, capture_output=True, text=True, check=False)
    if lacking(packages):
        raise ContainersError(f"`{' '.join(command)}` failed:\n{_last_lines(done.stdout + done.stderr)}")


class Engine:
    """podman, with one store."""

    def __init__(self) -> None:
        """Raises ContainersError where there is no podman, and none can be installed."""
        ensure(*_PACKAGES.values())
        self.folder = folder()
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "containers.conf"
        settings.write_text(_settings())
        self.environment = {**os.environ, "CONTAINERS_CONF": str(settings)}
        # The sockets below must have short paths.
        short = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        self._command = [
            "podman", f"--root={self.folder / 'store'}", f"--runroot=/tmp/shardgate-{short}", "--log-level=error",
        ]  # fmt: skip

    def __call__(self, *arguments: str, within_s: float = 600, both: bool = False) -> str:
        """Run a command of podman. Returns what it printed; `both`: to stderr, too.

        Raises ContainersError with what it said.
        """
        done = subprocess.run(
            [*self._command, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )
        if done.returncode != 0:
            words = _last_lines(done.stdout + done.stderr)
            raise ContainersError(f"`podman {' '.join(arguments[:3])} …` failed ({done.returncode}):\n{words}")
        return (done.stdout + done.stderr if both else done.stdout).strip()

    def has(self, image: str) -> bool:
        """Whether an image is in the store."""
        try:
            self("image", "exists", image)
        except ContainersError:
            return False
        return True


def _settings() -> str:
    """What podman needs on machines without systemd, with cgroups of both versions, or with low limits."""
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    limits = [f"{name}={most}:{most}" for name, most in (("nofile", _most(files)), ("nproc", _most(processes)))]
    return (
        f'[containers]\ndefault_ulimits = ["{limits[0]}", "{limits[1]}"]\n'
        '[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\n'
    )


def _most(allowed: int) -> int:
    # podman lowers its own limits to 32,768 processes, and cannot raise those of a container above them.
    return _LIMIT_MAX if allowed == resource.RLIM_INFINITY else min(allowed, _LIMIT_MAX)


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-20:])
