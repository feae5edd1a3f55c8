"""What is known to be wrong with an image: vulnerabilities of its Python packages, and Debian packages for which the
archive has a newer version.

    python -m tools.delivery.scan localhost/shardgate:dev

Python packages are those of `deploy/image/runtime.lock`, looked up as `make audit` does. Debian publishes a security
correction as a newer version, so a package that is older than its archive's may lack one. Exit codes: 0, nothing found;
1, something found; 3, something could not be looked up.

*Holds:* "ok" is said only of what was looked up.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.containers.engine import ContainersError, Engine
from tools.supply.audit import NOT_AUDITED, VULNERABLE, ask, verdict

LOCK = Path("deploy/image/runtime.lock")
_STATUS = "import sys; sys.stdout.write(open('/var/lib/dpkg/status').read())"
_TIMEOUT_S = 300


def installed(status: str) -> dict[str, str]:
    """Package → version, of the text of dpkg's status file."""
    found = {}
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Status", "").endswith(" installed"):
            found[fields["Package"]] = fields["Version"]
    return found


def candidates(policy: str) -> dict[str, str]:
    """Package → the newest version in the archive, of what `apt-cache policy` prints."""
    found, name = {}, ""
    for line in policy.splitlines():
        if line and line[0] != " ":
            name = line.removesuffix(":").partition(":")[0]
        elif (word := line.strip()).startswith("Candidate: "):
            found[name] = word.removeprefix("Candidate: ")
    return found


def outdated(here: Mapping[str, str], newest: Mapping[str, str]) -> list[str]:
    """Packages with another version in the archive. Raises LookupError where the archive does not know a package."""
    if missing := sorted(name for name in here if newest.get(name, "(none)") == "(none)"):
        raise LookupError(f"the archive does not know {', '.join(missing[:3])}")
    return [
        f"{name} {here[name]}, {newest[name]} is out" for name in sorted(here) if _is_older(here[name], newest[name])
    ]


def _is_older(here: str, newest: str) -> bool:
    return subprocess.run(["dpkg", "--compare-versions", here, "lt", newest], check=False).returncode == 0


def debian(engine: Engine, image: str) -> tuple[int, list[str]]:
    """The exit code for the packages of Debian, and what to say of them."""
    try:
        status = engine("run", "--rm", "--network=host", "--entrypoint=/usr/bin/python3", image, "-c", _STATUS)
        here = installed(status)
        if os.geteuid() == 0:
            subprocess.run(["apt-get", "update", "-q"], capture_output=True, check=False, timeout=_TIMEOUT_S)
        said = subprocess.run(
            ["apt-cache", "policy", *here], capture_output=True, text=True, check=True, timeout=_TIMEOUT_S
        )
        older = outdated(here, candidates(said.stdout))
    except (ContainersError, OSError, LookupError, subprocess.SubprocessError) as error:
        return NOT_AUDITED, [f"scan: Debian: NOT LOOKED UP: {error}"]
    if not here:
        return NOT_AUDITED, [f"scan: Debian: NOT LOOKED UP: {image} has no package of Debian"]
    lines = [f"scan: Debian: OLD: {line}" for line in older]
    return (
        (VULNERABLE, lines) if lines else (0, [f"scan: Debian: {len(here)} packages, none is older than its archive's"])
    )


def main(arguments: Sequence[str]) -> int:
    """Scan one image."""
    found = [verdict(str(LOCK), ask(LOCK)), debian(Engine(), arguments[0])]
    print("\n".join(line for _, lines in found for line in lines))
    codes = {code for code, _ in found}
    return VULNERABLE if VULNERABLE in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
