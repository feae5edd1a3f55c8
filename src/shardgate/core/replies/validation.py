"""What a rule says of the validators of its merged replies.

Never: looks at a reply; `validators.py` does.
"""

from typing import Final, Literal

import msgspec


class Validation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one ETag and one Last-Modified are made of those of the shards: `{etag: latest, needs: any}`."""

    etag: Literal["all", "latest", "none"] = "all"
    """The ETag of the merged reply. `all`: one of the gateway, made of the shards' tags; it changes with each of them.
    `latest`: the tag of the reply with the latest Last-Modified, byte for byte, for applications whose tag is that of
    the newest row; where several replies are the latest, one of the gateway, made of their tags. `none`: there is
    none."""
    last_modified: Literal["latest", "none"] = "latest"
    """The Last-Modified of the merged reply. `latest`: the latest of the shards'. `none`: there is none."""
    needs: Literal["every", "any"] = "every"
    """`every`: the merged reply has a validator only where each shard gives one. `any`: a reply without one is of a
    shard without rows, as where the application takes the validators from the newest row; it does not count."""
    heads: bool = True
    """The application gives validators to a HEAD, too. `false`: to a GET alone, as Django does."""


EVERY_SHARD: Final = Validation()
"""Validators that each shard's reply must have."""
