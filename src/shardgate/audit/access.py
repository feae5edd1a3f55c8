"""Who may read or change a file, by its mode and its owner, and by the folders above it.

Holds: symbolic links are followed, as Kubernetes mounts secrets by links; the folders of both ends are looked at.
Never: changes a file's mode.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def exposure(file: Path, own: int | None = None, *, group_reads: bool = False) -> str:
    """Who besides its owner may read or change a file, in words; empty: nobody, or there is no such file.

    A file of the process's user is for this user alone. A file of root may also be read by the group, as in
    PostgreSQL: that is how secrets are mounted into containers. `own`: the user; default: the process's own.
    `group_reads`: a file of the user, too.
    """
    try:
        found = file.stat()
    except OSError:
        return ""
    own = os.geteuid() if own is None else own
    if found.st_uid not in {own, 0}:
        return f"belongs to another user (uid {found.st_uid})"
    mode = stat.S_IMODE(found.st_mode)
    is_strict = found.st_uid == own and not group_reads
    open_to = mode & (_OTHERS if is_strict else _OTHERS & ~stat.S_IRGRP)
    if not open_to:
        return ""
    who = "everybody" if open_to & stat.S_IRWXO else "its group"
    verb = "changed" if open_to & (stat.S_IWGRP | stat.S_IWOTH) else "read"
    return f"can be {verb} by {who} (mode {mode:04o})"


def anybody_may_change(file: Path) -> bool:
    """Whether every user of the machine may write into the file."""
    try:
        return bool(file.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return False


def open_folders(file: Path, *, shared: bool) -> Iterator[Path]:
    """The folders above a file in which everybody may put another file in its place.

    In a folder with the sticky bit, such as /tmp, only a file's owner may; `shared`: the file's own folder counts all
    the same, since files beside it are trusted too.
    """
    parents = dict.fromkeys([file.absolute().parent, file.resolve().parent])
    for parent in parents:
        for folder in (parent, *parent.parents):
            try:
                mode = folder.stat().st_mode
            except OSError:
                continue
            is_sticky = bool(mode & stat.S_ISVTX) and not (shared and folder == parent)
            if mode & stat.S_IWOTH and not is_sticky:
                yield folder
