"""Where the map of a store's directory lies on this machine.

Holds: of a store that is a file, beside it. Of one on another machine, in a folder of this user alone, below the
folder for temporary files: it is made again where it is gone.
"""

import os
import tempfile
from hashlib import blake2b
from pathlib import Path
from stat import S_IMODE, S_ISDIR

from shardgate.store.database import StorePlace

_PRIVATE = 0o700


def beside(store: Path) -> Path:
    """The path of the map of a store that is a file."""
    return store.with_name(store.name + ".map")


def map_path(place: StorePlace) -> Path | None:
    """The path of the map; None where no folder can be made in which nobody else may write."""
    if isinstance(place, Path):
        return beside(place)
    folder = Path(tempfile.gettempdir()) / f"shardgate-{os.getuid()}"
    try:
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    if not S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or S_IMODE(found.st_mode) & ~_PRIVATE:
        return None  # somebody else's, who could put another map into it
    return folder / f"{blake2b(place.name.encode(), digest_size=12).hexdigest()}.map"
