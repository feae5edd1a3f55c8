"""Makes the HTTP reply of a ShardgateError (RFC 9457); no other module does.

Never: writes `error.log`, `error.where` or `error.shard`, which may name what a client must not read.
"""

from typing import Final

import msgspec

from shardgate.core.errors import ShardgateError
from shardgate.core.http import Reply

_ABOUT: Final = ("parameter", "header", "member", "key", "value")
"""The members that say what in the request is at fault."""


def problem_reply(error: ShardgateError, request_id: str | None = None) -> Reply:
    """The problem as JSON; or the application's own words, where the configuration has them."""
    if (words := error.words) is not None:
        challenge = [(b"WWW-Authenticate", error.challenge.encode())] if error.challenge else []
        said = {name.lower() for name, _ in words.fields}
        return Reply(words.status, [*words.fields, *(f for f in challenge if f[0].lower() not in said)], words.body)
    document: dict[str, object] = {
        "type": f"urn:shardgate:error:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
    }
    document |= {name: error.about[name] for name in _ABOUT if name in error.about}
    if error.missing:
        document["missing"] = list(error.missing)
    if request_id is not None:
        document["request_id"] = request_id
    fields = [(b"Content-Type", b"application/problem+json"), (b"Cache-Control", b"no-store")]
    if error.retry_after_s is not None:
        fields.append((b"Retry-After", b"%d" % error.retry_after_s))
    if error.challenge:
        fields.append((b"WWW-Authenticate", error.challenge.encode()))
    if error.allow:
        fields.append((b"Allow", error.allow.encode()))
    return Reply(error.status, fields, msgspec.json.encode(document))
