"""A scan says "ok" only of packages that were looked up."""

import shutil

import pytest

from tools.delivery.publish import signed_in
from tools.delivery.scan import candidates, installed, outdated

STATUS = """Package: libc6
Status: install ok installed
Version: 2.36-9+deb12u9
Description: the library
 of C: it is everywhere

Package: gone
Status: deinstall ok config-files
Version: 1.0
"""
POLICY = """libc6:
  Installed: 2.36-9+deb12u14
  Candidate: 2.36-9+deb12u14
  Version table:
gone:
  Candidate: (none)
"""


def test_what_is_installed_and_what_is_out() -> None:
    assert installed(STATUS) == {"libc6": "2.36-9+deb12u9"}
    assert candidates(POLICY) == {"libc6": "2.36-9+deb12u14", "gone": "(none)"}


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="no dpkg")
def test_an_older_package_is_found_and_a_newer_one_is_none() -> None:
    newest = candidates(POLICY)
    assert outdated(installed(STATUS), newest) == ["libc6 2.36-9+deb12u9, 2.36-9+deb12u14 is out"]
    assert outdated({"libc6": "2.36-9+deb12u14"}, newest) == []
    assert outdated({"libc6": "2.40-1"}, newest) == []


@pytest.mark.parametrize("name", ["gone", "unheard-of"])
def test_a_package_that_the_archive_does_not_know_is_no_ok(name: str) -> None:
    with pytest.raises(LookupError, match=name):
        outdated({name: "1"}, candidates(POLICY))


def test_the_registry_is_known_by_its_host() -> None:
    assert signed_in("host.example/shardgate", "secret") == '{"auths": {"host.example": {"auth": "QVdTOnNlY3JldA=="}}}'
