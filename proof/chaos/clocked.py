"""`shardgate`, with a clock that can be set while it runs: `python -m proof.chaos.clocked FILE serve -c …`.

FILE has the offset in seconds, as one number of eight bytes in memory that all workers share. The gateway reads the
time of day in one place (`shardgate.net.clock`), by `time.time`. The monotonic clock is left alone, as by a machine
whose clock is set.
"""

import mmap
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

from shardgate.cli.main import app

_OFFSET = struct.Struct("d")


def write_offset(file: Path, offset_s: float) -> None:
    """Set the clock."""
    with file.open("r+b" if file.exists() else "wb") as open_file:
        open_file.write(_OFFSET.pack(offset_s))


def shifted(file: Path) -> Callable[[], float]:
    """The time of day, with the offset that the file has at that instant."""
    wall = time.time  # noqa: TID251 - the same
    with file.open("r+b") as open_file:
        memory = mmap.mmap(open_file.fileno(), _OFFSET.size)
    return lambda: wall() + float(_OFFSET.unpack_from(memory)[0])


def main() -> None:
    """Serve."""
    time.time = shifted(Path(sys.argv.pop(1)))  # noqa: TID251 - it is what is replaced
    app()


if __name__ == "__main__":
    main()
