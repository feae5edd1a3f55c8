"""Work that gives way to others on the machine."""

import os
import sys
import threading

import pytest

from shardgate.move.gently import gently


def test_what_the_work_returns_or_raises_comes_back() -> None:
    assert gently(lambda: 7) == 7
    with pytest.raises(KeyError):
        gently(lambda: {}["a"])


@pytest.mark.skipif(sys.platform != "linux", reason="priorities are those of processes")
def test_the_work_gives_way_and_who_asked_for_it_does_not() -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert gently(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id())) >= min(10, before)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
