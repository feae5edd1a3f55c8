"""Works so that others on this machine go first.

Holds: only a thread of its own gives way, which ends with the work: the mover itself must not be late behind its fence,
where requests wait for it, and a thread that has given way cannot take that back.
Never: for long under a lock that others wait for; who gives way holds it longer.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

_NICE: Final = 10
_Done = TypeVar("_Done")


def gently(work: Callable[[], _Done]) -> _Done:
    """What the work returns."""
    with ThreadPoolExecutor(1, initializer=_give_way) as beside:
        return beside.submit(work).result()


def _give_way() -> None:
    """Linux knows priorities of threads; elsewhere they are those of processes."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
