"""What a plug-in may import: the public face of shardgate for merges, locators and dialects of your own.

docs/howto/extend.md goes from nothing to a plug-in that runs; templates/plugin is a package to copy.

Holds: what stands in `__all__` is stable. Within one major version no name, field or method of it is removed, renamed
or given another meaning; a field or a parameter that is added has a default. The changelog names what will change in
the next major version, one minor version ahead.
Never: promises anything about another module of shardgate. A plug-in that imports one may break with any version.
"""

from shardgate.core.contracts import (
    NO_MOMENT,
    UNKNOWN,
    Ask,
    AskAll,
    Dialect,
    Known,
    Listing,
    Locator,
    Merged,
    Merger,
    Merging,
    Moment,
    Page,
    Strategy,
    Unknown,
)
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply, Request
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.combining import Combining
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.fields import with_field
from shardgate.core.topology import Topology

__all__ = [
    "NO_MOMENT",
    "UNKNOWN",
    "Ask",
    "AskAll",
    "BrokenReplyError",
    "Combining",
    "Dialect",
    "JsonObject",
    "Known",
    "Listing",
    "Locator",
    "Merged",
    "Merger",
    "Merging",
    "Moment",
    "Page",
    "Parameters",
    "Reply",
    "Request",
    "Strategy",
    "Topology",
    "Unknown",
    "with_field",
]
