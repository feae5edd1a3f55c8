"""The replies that are kept for one rule: so many bytes and entries, those that were used last.

Holds: what a change has made old is not kept, also where it was asked for before the change and comes after it.
"""

from collections import OrderedDict

import msgspec

from shardgate.core.http import Request
from shardgate.core.replies.cache.keys import Key, size_of
from shardgate.core.replies.cache.settings import CacheWords
from shardgate.core.replies.cache.stored_reply import StoredReply

# Replies to one key that differ by what `Vary` names: languages times codings.
VARIANTS_MAX = 16
# Paths that were changed a short time ago, with when: a reply that was asked for before that is not kept.
CHANGED_PATHS_MAX = 4096
# A longer one is not remembered: it would take the room of many.
PATH_CHARACTERS_MAX = 512


class _Kept(msgspec.Struct):
    """The replies of one key."""

    place: str
    key_bytes: int
    entries: list[StoredReply]

    @property
    def size(self) -> int:
        return self.key_bytes + sum([each.size for each in self.entries])


class KeptReplies:
    """The replies of one rule, in one worker."""

    __slots__ = ("_changed_at", "_forgotten_at", "_kept", "_of_place", "bytes", "entries", "words")

    def __init__(self, words: CacheWords) -> None:
        self.words = words
        self.bytes = 0
        """So many are kept, about."""
        self.entries = 0
        """So many replies are kept."""
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()  # in the order of their last use
        self._of_place: dict[str, set[Key]] = {}
        self._changed_at: OrderedDict[str, float] = OrderedDict()
        self._forgotten_at = float("-inf")

    def find(self, key: Key, request: Request) -> tuple[StoredReply | None, bool]:
        """The newest reply to such a request, and whether there is any of the key."""
        kept = self._kept.get(key)
        if kept is None:
            return None, False
        self._kept.move_to_end(key)
        return next((each for each in reversed(kept.entries) if each.is_for(request)), None), True

    def put(self, key: Key, path: str, entry: StoredReply, asked_at: float) -> bool:
        """Keep a reply that was asked for at `asked_at`, in the place of one that is alike. Whether it is kept."""
        place = _folded(path)
        changed_at = max(self._changed_at.get(place, self._forgotten_at), self._forgotten_at)
        if len(entry.reply.body) > self.words.reply_bytes_max or changed_at >= asked_at:
            return False
        others = [each for each in self._take(key) if each.wanted != entry.wanted]
        self._add(key, _Kept(place, size_of(key), [*others[-(VARIANTS_MAX - 1) :], entry]))
        while self.bytes > self.words.bytes_max or self.entries > self.words.entries_max:
            self._take(next(iter(self._kept)))
        return key in self._kept

    def drop(self, key: Key, entry: StoredReply) -> None:
        """Keep an entry no longer."""
        kept = self._kept.get(key)
        if kept is not None:
            left = [each for each in self._take(key) if each is not entry]
            if left:
                self._add(key, _Kept(kept.place, kept.key_bytes, left))

    def changed(self, path: str, now_s: float) -> None:
        """Keep nothing of a path any more, whatever its query: it was changed (RFC 9111 section 4.4)."""
        place = _folded(path)
        for key in [*self._of_place.get(place, ())]:
            self._take(key)
        if len(place) > PATH_CHARACTERS_MAX:
            self._forgotten_at = now_s  # nothing that was asked for before is kept: that is always safe
            return
        self._changed_at[place] = now_s
        self._changed_at.move_to_end(place)
        if len(self._changed_at) > CHANGED_PATHS_MAX:
            self._forgotten_at = self._changed_at.popitem(last=False)[1]

    def _add(self, key: Key, kept: _Kept) -> None:
        self._kept[key] = kept
        self._of_place.setdefault(kept.place, set()).add(key)
        self.bytes += kept.size
        self.entries += len(kept.entries)

    def _take(self, key: Key) -> list[StoredReply]:
        """Take all replies of a key out."""
        kept = self._kept.pop(key, None)
        if kept is None:
            return []
        self.bytes -= kept.size
        self.entries -= len(kept.entries)
        keys = self._of_place[kept.place]
        keys.discard(key)
        if not keys:
            del self._of_place[kept.place]
        return kept.entries


def _folded(path: str) -> str:
    """Paths that some application may take for one."""
    return path.rstrip("/").casefold()
