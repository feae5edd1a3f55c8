"""Changes are sorted into the windows of movements."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from proof.move.window import Windows


def test_the_change_that_is_under_way_when_a_movement_ends_is_counted() -> None:
    """Found: it had waited the longest, was noted after the window was read, and was dropped."""
    windows, begun, replied = Windows(), threading.Event(), threading.Event()

    def change() -> None:
        with windows.change() as waits:
            begun.set()
            replied.wait()
            waits.append(9.0)

    with ThreadPoolExecutor(2) as threads:
        changing = threads.submit(change)
        begun.wait()
        ended = threads.submit(windows.next)
        try:
            with pytest.raises(TimeoutError):
                ended.result(0.1)
        finally:
            replied.set()
        assert ended.result(5) == [9.0]
        changing.result(5)
    assert windows.next() == []


def test_a_window_waits_for_no_change_of_the_next_one() -> None:
    windows, ended = Windows(), threading.Event()

    def change() -> None:
        while not ended.is_set():
            with windows.change():
                pass

    with ThreadPoolExecutor(1) as threads:
        changing = threads.submit(change)
        try:
            for _ in range(100):
                windows.next()
        finally:
            ended.set()
        changing.result(5)


def test_a_change_that_fails_holds_up_nobody() -> None:
    windows = Windows()
    with pytest.raises(ConnectionError), windows.change():
        raise ConnectionError
    assert windows.next() == []
