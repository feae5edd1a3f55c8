"""Requests with an Idempotency-Key: each is run once, and a repeated one is answered from the store.

Holds: the key is written down before anything is sent, and the reply is kept before the client gets it; where the store
fails meanwhile, the client gets the reply, and it is kept as soon as the store can be written. A client that
does not say who it is gets no reply to another connection's request: the request is refused, and not done twice.
Never: gives a cookie to a client that does not say who it is, a second time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ParamSpec

import msgspec

from shardgate.core.changes.entry import Entry
from shardgate.core.changes.idempotency import (
    Verdict,
    anonymous,
    anybody,
    client_of,
    fingerprint_of,
    is_final,
    may_have_changed,
)
from shardgate.core.errors import (
    IdempotencyKeyError,
    InDoubtError,
    KeyInUseError,
    KeyReusedError,
    ShardgateError,
    StoreUnavailableError,
    StoreUncertainError,
)
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.limits import KEPT_REPLY_BYTES_MAX
from shardgate.core.topology import ShardId
from shardgate.engine.change.debts import Debts
from shardgate.net.clock import wall
from shardgate.store.idempotency import Claim
from shardgate.store.writer import Writer

P = ParamSpec("P")

REPLAYED = (b"Idempotent-Replayed", b"true")


class WithKey(msgspec.Struct, frozen=True):
    """A request, and what its bytes alone do not say."""

    request: Request
    connection: bytes
    """Names the client's connection among all connections of all workers."""
    routed_by: Sequence[tuple[str, str | None]] = ()
    """The places that the request's key is read from, with what stands there."""
    journaled: Sequence[Entry] = ()
    """When it is answered: what of it is in the journal, which knows what is left, whatever the reply says."""

    @property
    def is_left(self) -> bool:
        """A shard has something of it by the journal, or may have."""
        return any(entry.left_on for entry in self.journaled)

    def may_be_done(self, reply: Reply) -> bool:
        """Whether something of it was done, or may have been."""
        return self.is_left or (not self.journaled and may_have_changed(reply))


class IdempotentRunner:
    """The keys of one worker's requests."""

    __slots__ = ("_client_fields", "_debts", "_expires_s", "_writer")

    def __init__(self, writer: Writer, debts: Debts, expires_s: float, client_fields: Sequence[str]) -> None:
        self._writer = writer
        self._debts = debts
        self._expires_s = expires_s
        self._client_fields = client_fields

    async def once(self, key: str, asked: WithKey, run: Callable[[], Awaitable[Reply]], *, repeatable: bool) -> Reply:
        """The reply to a request with this key: what `run` gives, or what it gave before. Raises ShardgateError."""
        request = asked.request
        fingerprint = fingerprint_of(request, asked.routed_by, self._client_fields)
        client = client_of(request, self._client_fields)
        known = client is not None
        worker = self._writer.leases.worker
        claim = Claim(client or anonymous(asked.connection, request), key, fingerprint, worker, repeatable)
        at = wall()  # one instant, so that both claims of one request end together
        verdict, reply = await self._begin(claim, at)
        if reply is not None:
            same_client = known and bool(self._client_fields)
            fields = [field for field in reply.fields if same_client or field[0].lower() != b"set-cookie"]
            return msgspec.structs.replace(reply, fields=[*fields, REPLAYED])
        if verdict != "run":
            raise _refusal(verdict, key)
        if known:
            return await self._run(claim, asked, run)
        # The same request with the same key on another connection: the same client again, or another one?
        others = msgspec.structs.replace(claim, client=anybody(fingerprint))
        try:
            verdict, _ = await self._begin(others, at)
        except StoreUnavailableError:
            await self._pay(self._writer.keys.forget, claim)  # it would be under way for as long as this worker lives
            raise
        if verdict != "run":
            await self._pay(self._writer.keys.forget, claim)
            raise _refusal(verdict, key)
        return await self._run_for_anybody(claim, others, asked, run)

    async def _begin(self, claim: Claim, at: float) -> tuple[Verdict, Reply | None]:
        keys, sure_after_s = self._writer.keys, self._writer.leases.dead_after_s
        try:
            verdict, reply = await self._writer.run(keys.begin, claim, at, at + self._expires_s)
            if verdict == "busy" and sure_after_s and await self._writer.run(keys.seems_dead, claim):
                # A worker that lives has its lease again by then. Who asks again finds another worker, or comes too
                # late, and would be told each time that the first request is under way.
                await asyncio.sleep(sure_after_s)
                verdict, reply = await self._writer.run(keys.begin, claim, at, at + self._expires_s)
            return verdict, reply
        except StoreUncertainError:
            self._debts.owe(partial(self._writer.keys.forget, claim))  # it would be under way as long as we live
            raise

    async def _run_for_anybody(
        self, claim: Claim, others: Claim, asked: WithKey, run: Callable[[], Awaitable[Reply]]
    ) -> Reply:
        keys, done = self._writer.keys, True
        try:
            reply = await self._run(claim, asked, run)
            done = asked.may_be_done(reply)
        except ShardgateError as error:
            done = not error.nothing_done
            raise
        finally:
            await self._pay(keys.doubt if done else keys.forget, others)
        return reply

    async def follow(
        self, name: str, request: Request, shard: ShardId | None, send: Callable[[ShardId | None], Awaitable[Reply]]
    ) -> Reply:
        """Send to the shard that the first request of this name went to; the first one goes to `shard`.

        A request that is refused does not count: the next one of its name is the first. One that failed does, as it may
        have been made.
        """
        client, keys, at = client_of(request, self._client_fields) or "", self._writer.keys, wall()
        first, is_new = await self._writer.run(keys.follow, client, name, shard, at, at + self._expires_s)
        try:
            reply = await send(first)
        except ShardgateError as error:
            if is_new and error.nothing_done:
                await self._pay(keys.release, client, name)
            raise
        if is_new and reply.status >= 400 and not may_have_changed(reply):
            await self._pay(keys.release, client, name)
        return reply

    async def _run(self, claim: Claim, asked: WithKey, run: Callable[[], Awaitable[Reply]]) -> Reply:
        keys = self._writer.keys
        try:
            reply = await run()
        except ShardgateError as error:
            await self._pay(keys.forget if error.nothing_done else keys.doubt, claim)
            raise
        except BaseException:
            await self._pay(keys.doubt, claim)
            raise
        if len(reply.body) > KEPT_REPLY_BYTES_MAX:
            await self._pay(keys.doubt, claim)
        elif is_final(reply.status):
            await self._pay(keys.finish, claim, reply)
        else:
            await self._pay(keys.doubt if asked.may_be_done(reply) else keys.forget, claim)
        return reply

    async def _pay(self, job: Callable[P, None], *args: P.args, **options: P.kwargs) -> None:
        await self._debts.pay(partial(job, *args, **options))


def _refusal(verdict: Verdict, key: str) -> ShardgateError:
    about = {"key": excerpt(key)}
    if verdict == "busy":
        return KeyInUseError("a request with this Idempotency-Key is under way; ask again a little later", about=about)
    if verdict == "other":
        return KeyReusedError("this Idempotency-Key was used for another request; take a new one", about=about)
    return InDoubtError("the reply to the first request was lost; look whether it took effect", about=about)


def required() -> IdempotencyKeyError:
    """The refusal of a request without a key, where the rule wants one."""
    return IdempotencyKeyError("the operation needs the header `Idempotency-Key`", about={"header": "Idempotency-Key"})
