"""Leases: of two workers that take one at once, one gets it; the kernel ends it with the process, and no clock does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from shardgate.store.leases import FileLeases, lease_file

WORKER = """
import sys, pathlib
from shardgate.store.leases import FileLeases
leases = FileLeases(pathlib.Path(sys.argv[1]))
print(leases.worker, leases.lead("replay"), flush=True)
sys.stdin.read()
"""


def test_a_lease_has_one_owner_until_it_ends(tmp_path: Path) -> None:
    one, two = FileLeases(tmp_path / "store.db"), FileLeases(tmp_path / "store.db")
    assert one.worker != two.worker
    assert one.lead("replay")
    assert one.lead("replay")
    assert not two.lead("replay")
    assert two.lead("purge")
    one.close()
    assert two.lead("replay")
    assert two.lead("purge")


def test_a_worker_is_alive_for_others_and_for_itself_until_it_closes(tmp_path: Path) -> None:
    one, two = FileLeases(tmp_path / "store.db"), FileLeases(tmp_path / "store.db")
    for _ in range(2):  # to look ends nothing
        assert two.lives(one.worker)
        assert one.lives(one.worker)
    one.close()
    assert not two.lives(one.worker)


def test_who_is_no_worker_is_not_alive(tmp_path: Path) -> None:
    leases = FileLeases(tmp_path / "store.db")
    assert not any(map(leases.lives, [None, "", "operator", "0", "1", "99999999999999999999", "3f2a"]))


def test_a_worker_that_is_stopped_lives_and_one_that_is_killed_does_not(tmp_path: Path) -> None:
    """Found: the leases of living workers lapsed while the store was locked, and others adopted what they drove."""
    store = tmp_path / "store.db"
    command = [sys.executable, "-c", WORKER, str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker, leads = process.stdout.readline().split()
        assert leads == "True"
        leases = FileLeases(store)
        os.kill(process.pid, signal.SIGSTOP)
        assert leases.lives(worker)
        assert not leases.lead("replay")
        process.kill()
        process.wait()
        assert not leases.lives(worker)
        assert leases.lead("replay")


def test_where_the_file_is_deleted_the_leases_are_taken_in_the_new_one(tmp_path: Path) -> None:
    one = FileLeases(tmp_path / "store.db")
    assert one.lead("replay")
    lease_file(tmp_path / "store.db").unlink()
    two = FileLeases(tmp_path / "store.db")
    assert one.lead("replay")
    assert not two.lead("replay")
    assert two.lives(one.worker)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    FileLeases(tmp_path / "store.db")
    assert lease_file(tmp_path / "store.db").stat().st_mode & 0o777 == 0o600


def test_where_no_file_can_be_made_nobody_leads_and_nobody_is_dead(tmp_path: Path) -> None:
    leases = FileLeases(tmp_path / "nowhere" / "store.db")
    assert not leases.lead("replay")
    assert leases.lives("12345")
    assert not leases.lives(None)
