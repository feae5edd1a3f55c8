"""A merge with a defect, which tells all that it was given."""

from collections.abc import Sequence

import msgspec

from shardgate.core.contracts import Merging, Moment
from shardgate.core.http import Request


class BrokenMerge(msgspec.Struct, frozen=True):
    def begin(self, request: Request, shards: Sequence[str], moment: Moment) -> Merging:
        raise RuntimeError(f"nothing can be made of {request!r}, {request.fields!r}")

    def describe(self) -> str:
        return "not at all"
