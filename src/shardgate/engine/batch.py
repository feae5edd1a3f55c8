"""Serves the requests in the body of a request: each goes through the gateway as if its client had sent it alone.

Holds: each is matched, verified, counted, planned and logged by itself, and its failure is its own. A batch in a batch
is refused. What is held of replies is bounded; so are the calls to shards of all together. When the client leaves, no
further request begins.
Never: knows what a request means.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from shardgate.core.body.inner import InnerRequest, inner_head
from shardgate.core.body.inner_reply import HeaderFields, nested, shared_fields, written
from shardgate.core.errors import BatchError, BrokenReplyError, ReplyTooLargeError, ShardgateError
from shardgate.core.exchange import CLIENT_GONE, Exchange
from shardgate.core.held import Holding
from shardgate.core.http import Reply, ReplyHead, Request
from shardgate.core.replies.problem import problem_reply
from shardgate.core.replies.whole import whole_of
from shardgate.core.rules.batch import ToInner
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.engine.gather.conductor import Conductor
from shardgate.net.client.contracts import BackPressure, Client, Handler, Work
from shardgate.net.clock import now


class InnerClient:
    """Stands for the client of a batch towards the handler of one inner request: keeps the reply."""

    is_proxied = False
    incoming = None

    def __init__(self, outer: Client, handler: Handler, holding: Holding, bytes_max: int, head_bytes: int) -> None:
        self.outer = outer
        """The connection that the batch came on."""
        self.exchange: Exchange | None = None
        self.head_bytes = head_bytes
        self.peer = outer.peer
        self.hop = outer.hop
        self.load = None if outer.is_proxied else outer.load
        self.rank = -1 if outer.exchange is None else outer.exchange.rank
        """Of the batch's priority class, which all of its requests are of: their header fields are the client's own."""
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._handler = handler
        self._holding = holding
        self._bytes_max = bytes_max
        self._size = 0
        self._head: ReplyHead | None = None
        self._pieces: list[bytes] = []
        self._work: Work | None = None

    def adopt(self, work: Work) -> None:
        self._work = work

    def leave(self) -> None:
        """The client has left, or there is no room for the reply: cancel what runs for it."""
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
        self._end(None, CLIENT_GONE)

    def send(self, reply: Reply) -> None:
        self._begun(reply.status)
        if self._take(len(reply.body)):
            self._end(reply)

    def relay(self, head: ReplyHead, body: bytes) -> None:
        self.send(whole_of(head, body))

    def begin(self, head: ReplyHead, data: bytes, *, stream: BackPressure) -> None:
        self._head = head
        self._begun(head.status)
        if head.is_event_stream:
            work = self._work
            self.refuse(BatchError("a stream of events is not accepted in a batch"))
            if work is not None:
                work.cancel()
            return
        self.write(data)

    def write(self, data: bytes) -> None:
        if not self.reply.done() and self._take(len(data)):
            self._pieces.append(data)

    def finish(self, trailers: bytes) -> None:
        if self._head is not None:
            self._end(whole_of(self._head, b"".join(self._pieces)))

    def abort(self, reason: str = "") -> None:
        self._end(_failed(BrokenReplyError("the reply broke off", log=reason or "it ended before its end")), reason)

    def switch(self, head: ReplyHead, data: bytes, upstream: asyncio.Transport) -> None:
        upstream.abort()  # never: nothing is offered
        self.abort()

    def refuse(self, error: ShardgateError) -> None:
        self._end(_failed(error))

    def end(self, error: ShardgateError, reason: str = "") -> None:
        self._end(_failed(error))

    # Of a connection, which this is not.

    def hand_over(self) -> None:
        return None

    def collect(self) -> None: ...

    def annotate(self, lines: bytes) -> None: ...

    def interim(self, head: ReplyHead) -> None: ...

    def rest(self, seconds: float) -> None: ...

    def retire(self) -> None: ...

    def close(self) -> None: ...

    def _begun(self, status: int) -> None:
        if self.exchange is not None:
            self.exchange.status, self.exchange.first_byte_at = status, now()

    def _take(self, size: int) -> bool:
        """Hold so much more of the reply; False: there is no room for it."""
        self._size += size
        if self._size > self._bytes_max:
            work, problem = self._work, "the replies of a batch are together larger than `merge_bytes_max`"
            log = f"{self._size} bytes of this one had come, and it could have {self._bytes_max}"
            self._end(_failed(ReplyTooLargeError(problem, log=log)))
            if work is not None:
                work.cancel()
            return False
        if self.exchange is not None:
            self.exchange.bytes_out += size
        self._holding.add(size)
        return True

    def _end(self, reply: Reply | None, cut_off: str = "") -> None:
        exchange, self.exchange, self._work = self.exchange, None, None
        if exchange is not None:
            exchange.cut_off, exchange.ended_at = cut_off, now()
            self._handler.finished(exchange)
        if not self.reply.done():
            if reply is None:
                self.reply.cancel()
            else:
                self.reply.set_result(reply)


class Batches:
    """The batches of one worker."""

    __slots__ = ("_bytes_max", "_conductor", "_handler", "_parser", "_running")

    def __init__(self, handler: Handler, conductor: Conductor) -> None:
        self._handler = handler
        self._conductor = conductor
        self._bytes_max = conductor.merged_bytes_max
        self._parser = RequestHeadParser()
        self._running: set[_Running] = set()

    def unfolded(self, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
        """The same, with the requests under way of each batch instead of the batch."""
        running = {id(each.exchange): each for each in self._running}
        for each in exchanges:
            batch = running.get(id(each))
            yield from (each,) if batch is None else batch.exchanges()

    async def answer(self, plan: ToInner, request: Request, client: Client, exchange: Exchange) -> None:
        """Serve all, and send the reply. Raises OverloadError, SlowClientError."""
        holding = self._conductor.held.open("reply", exchange.peer)
        running = _Running(self, plan, request, client, exchange, holding)
        holding.on_refused = running.refuse
        self._running.add(running)
        try:
            texts = await running.run()
            body = nested(plan.rule.replies, b"[%b]" % b",".join(texts))
            reply = await self._conductor.packed(
                Reply(plan.rule.status, shared_fields(plan.rule.fields, running.fields, body), body), request
            )
        finally:
            self._running.discard(running)
            holding.close()
        await self._conductor.deliver(reply, request, client)

    async def one(self, number: int, inner: InnerRequest, running: "_Running") -> Reply:
        """The reply to one inner request; a problem, where it is refused."""
        if inner.refusal is not None:
            return _failed(inner.refusal)
        outer, exchange = running.request, running.exchange
        try:
            self._conductor.check_calls(exchange, 1)
            head = inner_head(outer, inner, exchange.request_id, number)
            made = self._parser.parse(head)
        except ShardgateError as error:
            return _failed(error)
        made.body, made.scheme = inner.body or b"", outer.scheme
        room = max(0, self._bytes_max - running.holding.size)
        client = InnerClient(running.client, self._handler, running.holding, room, len(head))
        running.under_way.add(client)
        try:
            self._handler.handle(made, client)
            begun = client.exchange
            reply = await client.reply
            if begun is not None:
                exchange.calls += max(1, begun.calls)
            if (reply.field(b"content-encoding") or b"identity").lower() != b"identity":
                reply = await self._conductor.unpacked(reply, running.holding)
            return reply
        except ShardgateError as error:
            return _failed(error)
        finally:
            client.leave()
            running.under_way.discard(client)


class _Running:
    """One batch under way."""

    def __init__(
        self, batches: Batches, plan: ToInner, request: Request, client: Client, exchange: Exchange, holding: Holding
    ) -> None:
        self.request, self.client, self.exchange, self.holding = request, client, exchange, holding
        self.under_way: set[InnerClient] = set()
        self.fields: list[HeaderFields] = [()] * len(plan.inner)
        """Of the replies, where the rule shows some."""
        self._batches = batches
        self._plan = plan
        self._waiting = iter(enumerate(plan.inner))
        self._texts: list[bytes] = [b""] * len(plan.inner)
        self._refusal: ShardgateError | None = None

    async def run(self) -> Sequence[bytes]:
        """The replies, as they are written. Raises OverloadError."""
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._plan.rule.at_once, len(self._texts))):
                group.create_task(self._serve())
        if self._refusal is not None:
            raise self._refusal
        return [text for text in self._texts if text]

    def exchanges(self) -> list[Exchange]:
        """The requests that are served now."""
        return [each for client in self.under_way if (each := client.exchange) is not None]

    def refuse(self, error: ShardgateError) -> None:
        """There is no room for what the replies hold."""
        self._refusal = error
        for client in list(self.under_way):
            client.refuse(error)

    async def _serve(self) -> None:
        for number, inner in self._waiting:
            if self._refusal is not None:
                return
            reply = await self._batches.one(number, inner, self)
            if self._plan.rule.fields:
                self.fields[number] = reply.fields
            self._texts[number] = written(self._plan.rule.reply, inner, reply)
            if self._plan.rule.ends_at_failure and reply.status >= 400:
                return


def _failed(error: ShardgateError) -> Reply:
    return problem_reply(error)
