"""The scan of the image in a rehearsal: what is found ends it, what cannot be looked up on this machine is named.

*Holds:* an image is never called scanned where something was not looked up. A vulnerability that is known ends the
rehearsal, whatever else could not be looked up.
"""

import subprocess
from collections.abc import Sequence

import msgspec

from proof.data import ROOT
from tools.delivery.deployment import RefusedError
from tools.supply.audit import NOT_AUDITED

SCANNER = ".venv-supply/bin/python"
TIMEOUT_S = 1800.0


class Scanned(msgspec.Struct, frozen=True):
    """What a scan said."""

    said: Sequence[str]
    """Of what was looked up."""
    unscanned: Sequence[str]
    """Of what was not, each with the reason."""


def scanned(image: str) -> Scanned:
    """Scan an image. Raises RefusedError where something is known to be wrong with it."""
    command = [SCANNER, "-m", "tools.delivery.scan", image]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RefusedError(f"the scan could not be run: {error}") from None
    return judged(done.returncode, done.stdout, done.stderr)


def judged(code: int, output: str, errors: str) -> Scanned:
    """What a scan that ended with `code` has printed. Raises RefusedError where it found something, or broke off."""
    lines = output.strip().splitlines()
    gaps = [line for line in lines if ": NOT " in line]
    if code not in {0, NOT_AUDITED} or (code == NOT_AUDITED) != bool(gaps):
        said = [line for line in lines if line not in gaps] + errors.strip().splitlines()[-5:]
        raise RefusedError(f"the scan ended with {code}:\n" + "\n".join(said))
    return Scanned([line for line in lines if line not in gaps], gaps)
