"""The file that log lines go to: opened anew on request, and counted where it takes none."""

import os
from pathlib import Path

import pytest

from shardgate.observe import log_file
from shardgate.observe.log_file import LogFile


def test_batches_are_appended_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("before\n")
    file = LogFile(str(path))
    for number in range(100):
        file.write(b"%d\n" % number)
    file.close(30)
    assert path.read_text().splitlines() == ["before", *(str(number) for number in range(100))]


def test_a_new_log_can_be_read_by_its_group_and_by_nobody_else(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        LogFile(str(tmp_path / "log")).close(30)
    finally:
        os.umask(before)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o640


def test_what_finds_too_much_waiting_is_lost_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "PENDING_BYTES_MAX", 200_000)
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    file = LogFile(str(fifo))
    for _ in range(20):  # more than the pipe and the bound hold; nobody reads
        file.write((b"x" * 999 + b"\n") * 30)
    lost = file.lost
    assert 0 < lost < 600
    assert lost % 30 == 0
    os.set_blocking(reader, True)
    received = 0
    while received < (600 - lost) * 1000:
        received += len(os.read(reader, 65536))
    file.close(30)
    os.close(reader)
    assert file.lost == lost


def test_a_place_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        LogFile(str(tmp_path / "nowhere" / "log"))
