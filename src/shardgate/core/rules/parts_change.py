"""How a change reaches all parts of an entity: the field `change` of the rule `one`."""

from collections.abc import Mapping

import msgspec

from shardgate.core.changes.entry import Action
from shardgate.core.parts.share import Share
from shardgate.core.rules.fields import IdForm


class PartsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a change reaches all parts of an entity."""

    read: str
    """Where a part can be read: `/v3/orders/{order_id}`."""
    already: tuple[int, ...] = (409,)
    """The statuses of a part that has taken the change already: it is asked again after its reply was lost."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that must be the same for all parts."""
    share: Share | None = None
    undo: Action | None = None
    """The call that takes the change back from a part, where a later part refuses."""
