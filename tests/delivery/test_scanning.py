"""A rehearsal goes on where something could not be looked up, and names it; what was found ends it."""

import pytest

from proof.rehearsal.scanning import Scanned, judged
from tools.delivery.deployment import RefusedError
from tools.supply.audit import NOT_AUDITED, VULNERABLE, Audited, verdict

FOUND = Audited(["a==1"], ["a==1: CVE-1, corrected in 2"], [])
UNKNOWN = Audited([], [], ["a: Dependency not found and could not be audited"])
KNOWN = Audited(["a==1"], [], [])


def printed(*audited: Audited) -> str:
    return "\n".join(line for each in audited for line in verdict("x.lock", each)[1])


def test_all_was_looked_up() -> None:
    assert judged(0, printed(KNOWN), "") == Scanned(["audit: x.lock: 1 packages, no known vulnerability"], [])


def test_what_was_not_looked_up_is_named_and_is_not_among_what_was() -> None:
    found = judged(NOT_AUDITED, printed(KNOWN, UNKNOWN), "")
    assert len(found.said) == len(found.unscanned) == 1
    assert "NOT AUDITED" in found.unscanned[0]


@pytest.mark.parametrize(
    ("code", "output"),
    [
        (VULNERABLE, printed(FOUND)),
        (VULNERABLE, printed(FOUND, UNKNOWN)),
        (VULNERABLE, "scan: Debian: OLD: libc6 1, 2 is out"),
        (1, ""),
        (-9, printed(UNKNOWN)),
        (0, printed(UNKNOWN)),
        (NOT_AUDITED, printed(KNOWN)),
    ],
)
def test_what_was_found_and_what_broke_off_end_the_rehearsal(code: int, output: str) -> None:
    with pytest.raises(RefusedError, match=f"ended with {code}"):
        judged(code, output, "")
