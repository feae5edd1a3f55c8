"""How a change reaches all parts of an entity: the field `change` of the rule `one`."""

from collections.abc import Mapping

import msgspec

from shardgate.core.changes.entry import Action
from shardgate.core.parts.share import Share
from shardgate.core.rules.fields import IdForm


class PartsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a change reaches all parts of an entity."""

    read: str
    """The path where a part can be read: `/orders/{id}`. The parts are read before they are changed."""
    already: tuple[int, ...] = (409,)
    """The statuses by which a shard says, when the change is repeated after a lost reply, that its part has it
    already."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that the gateway fills where the client does not. All parts get the same value."""
    share: Share | None = None
    """A number of the body that is shared among the parts."""
    undo: Action | None = None
    """The call that takes the change back from a part, when a later part refuses."""
