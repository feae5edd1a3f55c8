"""Clients that may look behind the gateway, by a claim of their verified token: they aim a read at one shard, and see
where each row of a list came from.

Holds: nobody is an operator without a verified token. Who asks for a shard and is none is refused, not served
otherwise.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from shardgate.core.clients.claims import Claims, keys_in
from shardgate.core.errors import AimRefusedError
from shardgate.core.http import SAFE_METHODS, Request
from shardgate.core.topology import Shard, ShardId
from shardgate.core.wire.prefer import preference

AIMED: Final = b"shardgate-shard"
_FIELD_BYTES_MAX: Final = 4096  # many proxies take heads of 8 KiB


class Operators:
    """Who they are, and what they ask for."""

    def __init__(self, by_claim: Mapping[str, Sequence[str]]) -> None:
        """`by_claim`: claim → the values that make an operator."""
        self._by_claim = by_claim

    def concern(self, request: Request) -> bool:
        """Whether the request asks for what operators alone may ask for, and is not to be served as any other."""
        values = request.fields.values
        if AIMED in values:
            return True
        wish = preference(values.get(b"prefer"), "provenance") if b"prefer" in values else None
        return wish is not None and self._are(request.claims)

    def aimed_at(self, request: Request, shards: Mapping[ShardId, Shard]) -> ShardId | None:
        """The shard that the request is for; None: it names none. Raises AimRefusedError."""
        alias = request.fields.values.get(AIMED)
        if alias is None:
            return None
        if not self._are(request.claims):
            raise AimRefusedError("`Shardgate-Shard` is for operators", about={"header": "Shardgate-Shard"})
        if request.method not in SAFE_METHODS:
            raise AimRefusedError(
                "`Shardgate-Shard` is for reads: a change belongs on the shard that owns its key",
                about={"header": "Shardgate-Shard"},
            )
        named = {shard.alias: name for name, shard in shards.items()}
        if (found := named.get(alias.decode("latin-1"))) is None:
            raise AimRefusedError("there is no shard of this alias", about={"header": "Shardgate-Shard"})
        return found

    def _are(self, claims: Claims | None) -> bool:
        return any(value in allowed for claim, allowed in self._by_claim.items() for value in keys_in(claims, claim))


def provenance(owners: Sequence[ShardId], shards: Mapping[ShardId, Shard]) -> bytes:
    """Where the rows of a page came from, in their order: `"north";rows=3, "south";rows=1` (a list of RFC 9651).

    `omitted;rows=9` stands at the end where there are too many turns for a header field.
    """
    runs: list[tuple[str, int]] = []
    for owner in owners:
        alias = shards[owner].alias.encode("ascii", "replace").decode().replace("\\", "?").replace('"', "?")
        if runs and runs[-1][0] == alias:
            runs[-1] = (alias, runs[-1][1] + 1)
        else:
            runs.append((alias, 1))
    said, size = [], 0
    for n, (alias, rows) in enumerate(runs):
        item = f'"{alias}";rows={rows}'
        size += len(item) + 2
        if size > _FIELD_BYTES_MAX:
            said.append(f"omitted;rows={sum([rows for _, rows in runs[n:]])}")
            break
        said.append(item)
    return ", ".join(said).encode("ascii")
