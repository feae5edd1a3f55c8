"""The values that fill the paths of a change's later calls: members of its body and of replies, by name.

Holds: of a reply that makes no sense, no value is taken; what the request itself says stays.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from shardgate.core.body.reading import read_object
from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.object import JsonObject
from shardgate.core.json.surrogates import decoded
from shardgate.core.limits import SMALL_BODY_BYTES_MAX
from shardgate.core.wire.path import filled, is_segment, names_of

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_NUMBER = re.compile(rb"-?[0-9]{1,40}")


def text_of(raw: bytes) -> str | None:
    """A JSON value that is a text or a whole number, as text."""
    if raw.startswith(b'"'):
        try:
            return _TEXT.decode(raw)
        except msgspec.DecodeError:  # half a surrogate pair
            return None
    return raw.decode() if _NUMBER.fullmatch(raw) else None


def texts(document: JsonObject | None, paths: Iterable[str]) -> dict[str, str]:
    """Those members that are a text or a whole number; a path may lead into objects: `data.id`.

    Raises BrokenReplyError.
    """
    if document is None:
        return {}
    raws = {path: document.raw(path) for path in paths}
    found = {path: text_of(raw) for path, raw in raws.items() if raw is not None}
    return {path: value for path, value in found.items() if value is not None}


def said_by(body: bytes, paths: Iterable[str]) -> dict[str, str]:
    """The members of a shard's reply; none where it is no JSON object, or has a member twice.

    Of a long reply it is not looked whether a member stands twice: that would take the event loop's time.
    """
    wanted = list(paths)
    try:
        members, text = decoded(_MEMBERS, body)
        last = [msgspec.json.encode(path.rpartition(".")[2]) for path in wanted]
        is_small = len(body) <= SMALL_BODY_BYTES_MAX
        if text is not body or (is_small and any(text.count(name) > 1 for name in last)):
            return texts(JsonObject(body), wanted)
        raws = {path: _raw(members, path) for path in wanted}
    except (BrokenReplyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    found = {path: text_of(bytes(raw)) for path, raw in raws.items() if raw is not None}
    return {path: value for path, value in found.items() if value is not None}


def _raw(members: Mapping[str, msgspec.Raw], path: str) -> msgspec.Raw | None:
    """A member, by its path. Raises msgspec.DecodeError where the path leads into something that is no object."""
    name, _, rest = path.partition(".")
    if path in members or not rest or name not in members:
        return members.get(path)
    return _raw(_MEMBERS.decode(members[name]), rest) if bytes(members[name]).startswith(b"{") else None


def asked_by(body: bytes, names: Iterable[str]) -> dict[str, str]:
    """The members of a request's body. Raises AmbiguousKeyError where readers could understand the body differently."""
    wanted = list(names)
    return texts(read_object(body), wanted) if wanted and body else {}


def path_of(template: str, known: Mapping[str, str], reply: bytes | None) -> str | None:
    """The path, filled with what a reply says, and with what is known where it says nothing that can be a segment."""
    said = said_by(reply, names_of(template)) if reply is not None else {}
    return filled(template, {**known, **{name: value for name, value in said.items() if is_segment(value)}})


def unfit(template: str | None, known: Mapping[str, str], *, from_reply: bool = False) -> str | None:
    """The first name in a template whose value is not known or cannot stand in a path; None where all are fine.

    `from_reply`: a value that is not known yet may still come with the reply.
    """
    path = (template or "").partition("?")[0]
    for name in names_of(template):
        alone = f"{{{name}}}" if f"{{{name}}}" in path else f"?{{{name}}}"
        if filled(alone, known) is None and not (from_reply and name not in known):
            return name
    return None
