"""Every way a request can fail, one class each: a stable code, a status, and what a client may read.

Holds: `code` is part of the API; once released it keeps its meaning. `detail` is public, `log` is not.
Never: names a shard to a client, except by its public alias.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import msgspec

Fault = Literal["client", "shard", "gateway"]
"""Who must do something about an error."""

CutOff = Literal["client_gone", "client_slow", "deadline", "shard", "drain", "gateway"]
"""Why a reply did not reach its end.

`client_gone`: the client left. `client_slow`: the client did not read. `deadline`: a shard's time ran out. `shard`: a
shard's reply broke off. `drain`: the process ended first. `gateway`: memory was short, or the gateway has a defect.
"""


class Words(msgspec.Struct, frozen=True):
    """A refusal as the application itself would say it."""

    status: int
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes


class ShardgateError(Exception):
    """The base; it is never raised itself."""

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    fault: ClassVar[Fault] = "gateway"
    cut_off: ClassVar[CutOff] = "gateway"
    """What logs and metrics say where the error ends a reply that has begun."""
    nothing_done: ClassVar[bool] = False
    """It is certain that no shard has changed anything: the request can be sent again without harm."""
    no_reply: ClassVar[bool] = False
    """The shard gave no reply, so that a list lacks the shard. Otherwise the shard's reply itself is at fault."""

    another_may_answer: bool = False
    """No byte of a reply came, and the same request can be sent to another shard without harm."""
    retry_after_s: int | None = None
    words: Words | None = None
    """Sent in place of the problem, where the configuration says so."""
    challenge: str = ""
    """How a client can authenticate (RFC 9110 section 11.6.1)."""

    shard: str = ""
    """The shard that the error concerns, for the log alone; empty: none, or several."""
    causes: "tuple[ShardgateError, ...]" = ()
    """The errors of single shards behind this one, for the log alone."""
    budget: str = ""
    """The budget that is used up, a word of `BUDGETS` in core/limits.py; empty: none is."""

    def __init__(
        self,
        detail: str,
        *,
        log: str = "",
        where: str = "",
        missing: tuple[str, ...] = (),
        allow: str = "",
        about: Mapping[str, str] | None = None,
        budget: str = "",
    ) -> None:
        """`detail` is for the client; `log` and `where` (byte 812, row 3, member `total`) are for the log alone.

        `about` is for the client, too: the `parameter`, `value`, `key`, `header` or `member` of the request that is at
        fault, by these names.
        """
        super().__init__(detail)
        self.detail = detail
        self.log = log
        self.where = where
        self.missing = missing
        self.allow = allow
        self.about: Mapping[str, str] = about or {}
        if budget:
            self.budget = budget


class ClientError(ShardgateError):
    """The request is at fault; sending it again changes nothing."""

    fault = "client"
    nothing_done = True


class MalformedRequestError(ClientError):
    """The bytes are not one plainly valid HTTP/1.1 request. The connection is closed."""

    code, status, title = "SG1001", 400, "Malformed request"


class AmbiguousKeyError(ClientError):
    """The request names two different keys, or one key twice. The gateway does not choose between them."""

    code, status, title = "SG1002", 400, "Ambiguous key"
    was_read: bool = False
    """The key was read, and is refused for itself: whether the body can be read does not matter."""


class AmbiguousPathError(ClientError):
    """Servers read the path differently: dot segments, empty segments, encoded separators, path parameters, or another
    spelling of a path that has a rule of its own."""

    code, status, title = "SG1003", 400, "Ambiguous path"


class UnknownOperationError(ClientError):
    """No operation of the application has this path. Nothing was sent to a shard."""

    code, status, title = "SG1004", 404, "Unknown operation"


class MethodNotAllowedError(ClientError):
    """The path exists, with other methods (`Allow` lists them). Nothing was sent to a shard."""

    code, status, title = "SG1005", 405, "Method not allowed"


class BodyTooLargeError(ClientError):
    """The request body is larger than `limits.request_body_bytes_max`, or `held_body_bytes_max` where it is held."""

    code, status, title = "SG1006", 413, "Request body too large"


class HeadTooLargeError(ClientError):
    """The header section is larger than the gateway reads."""

    code, status, title = "SG1007", 431, "Request header fields too large"


class TargetTooLongError(ClientError):
    """The request target is longer than the gateway reads."""

    code, status, title = "SG1008", 414, "URI too long"


class UnreadablePageError(ClientError):
    """A paging or sorting parameter cannot be read, and the application did not refuse it either."""

    code, status, title = "SG1009", 400, "Unreadable list parameter"


class MissingKeyError(ClientError):
    """The request lacks the key that says whose data it concerns, or the member by which its change is found again."""

    code, status, title = "SG1010", 400, "Missing key"


class UnknownKeyError(ClientError):
    """No shard owns the key that a change names."""

    code, status, title = "SG1011", 404, "Unknown key"


class UnsupportedCodingError(ClientError):
    """A transfer coding other than `chunked` (RFC 9112 section 6.1)."""

    code, status, title = "SG1012", 501, "Unsupported transfer coding"


class SlowRequestError(ClientError):
    """The request did not arrive within its time. The connection is closed."""

    code, status, title = "SG1013", 408, "Request timeout"


class NotServedError(ClientError):
    """The operation exists, but this gateway is configured not to serve it (`unserved`)."""

    code, status, title = "SG1014", 501, "Operation not served"


class BadCursorError(ClientError):
    """The cursor is damaged, too old, or made for another list or gateway. Request the list without a cursor."""

    code, status, title = "SG1015", 400, "Unusable cursor"
    lacked: frozenset[bytes] = frozenset()
    """The page that gave the cursor lacked shards: a digest of the alias of each; empty: it did not."""


class KeyInUseError(ClientError):
    """A request with the same Idempotency-Key is under way. Repeat this one later to get the same reply."""

    code, status, title = "SG1016", 409, "Request in progress"
    retry_after_s = 1


class KeyReusedError(ClientError):
    """The Idempotency-Key was used for another request before."""

    code, status, title = "SG1017", 422, "Idempotency key reused"


class InDoubtError(ClientError):
    """The first request with this Idempotency-Key lost its reply, or may be another client's.

    Look whether it took effect, then use a new key.
    """

    code, status, title = "SG1018", 409, "Outcome unknown"


class MethodOverrideError(ClientError):
    """A header, parameter or member names another method than the one that was sent, and the configuration does not
    allow it, or does not say whether the application reads it; or two of them name different methods."""

    code, status, title = "SG1019", 400, "Method override refused"


class UnknownChangeError(ClientError):
    """The status link names no change of this client. Changes that are over are forgotten after some days."""

    code, status, title = "SG1020", 404, "Unknown change"


class IdempotencyKeyError(ClientError):
    """The Idempotency-Key is missing where it is required, stands twice, or is no text of 1 to 255 characters."""

    code, status, title = "SG1021", 400, "Bad idempotency key"


class InvalidTokenError(ClientError):
    """The access token is missing, forged, expired, or not for this API; `WWW-Authenticate` says which."""

    code, status, title = "SG1022", 401, "Unauthorized"
    challenge = 'Bearer error="invalid_token"'


class QuotaSpentError(ClientError):
    """The client has made all the calls that its quota allows; `Retry-After` says when the next begins."""

    code, status, title = "SG1023", 429, "Quota spent"


class AmountMismatchError(ClientError):
    """A number that is shared among the parts of an entity differs from the sum that they lack. Nothing was changed."""

    code, status, title = "SG1024", 409, "Amount mismatch"


class SlowClientError(ClientError):
    """The client did not read its reply for `timeouts.reply_idle_timeout_s`; or it read slowly while others waited for
    its connection to a shard. The connection is closed."""

    code, status, title = "SG1025", 408, "Reply not read"
    cut_off = "client_slow"
    nothing_done = False


class TooComplexError(ClientError):
    """The request has more parameters, members or items, or needs more calls to shards, than is spent on one request.

    The same data in several requests is accepted.
    """

    code, status, title = "SG1026", 413, "Request too complex"


class ClientShareError(ClientError):
    """The client uses all of its share: of connections, of requests under way, of uploads or of its rate."""

    code, status, title = "SG1027", 429, "Share used up"
    retry_after_s = 1


class MisdirectedError(ClientError):
    """The `Host` of a request to the admin address is a name that `admin_hosts` does not list.

    A web page can let its own name resolve to this address (DNS rebinding), and then read what its visitor may reach.
    """

    code, status, title = "SG1028", 421, "Misdirected request"


class BoundClientError(ClientError):
    """A claim binds the client to some keys (`clients.binding`), and the request names another, or the token names
    none."""

    code, status, title = "SG1029", 403, "Key not allowed"


class ClientLeftError(ClientError):
    """The client closed its connection before its change had begun. Nothing was done, and nothing will be."""

    code, status, title = "SG1030", 408, "Client left"
    cut_off = "client_gone"


class BatchError(ClientError):
    """A body is no list of requests as the rule `batch` reads it, or a request in it is none: it has no method or path,
    a header that is not for it to give, or is a batch itself."""

    code, status, title = "SG1031", 400, "Batch refused"


class PreconditionFailedError(ClientError):
    """A condition of the request (RFC 9110 section 13.1) does not hold: the entity in parts is not as the client knows
    it. Nothing was changed."""

    code, status, title = "SG1032", 412, "Precondition failed"


class ScatterRefusedError(ClientError):
    """The request would ask more shards than the rule's `scatter` allows this client. Name what narrows it."""

    code, status, title = "SG1040", 403, "Too many shards"


class AimRefusedError(ClientError):
    """The request names a shard by `Shardgate-Shard`, and its client is no operator (`clients.operators`); or it is a
    change, or there is no such shard."""

    code, status, title = "SG1041", 403, "Shard not for you to choose"


class NothingKeptError(ClientError):
    """The request says `only-if-cached`, and nothing that is kept answers it (RFC 9111 section 5.2.1.7)."""

    code, status, title = "SG1042", 504, "Nothing kept"


class UpstreamError(ShardgateError):
    """A shard is at fault, or the way to it."""

    fault = "shard"
    cut_off: ClassVar[CutOff] = "shard"


class ShardDownError(UpstreamError):
    """The shard that owns the data cannot be reached. Nothing was done."""

    another_may_answer = True
    code, status, title = "SG2001", 503, "Shard unavailable"
    nothing_done = no_reply = True
    retry_after_s = 1


class BrokenReplyError(UpstreamError):
    """A shard's reply is not valid HTTP, is truncated, or its body is not what the rule says."""

    code, status, title = "SG2002", 502, "Broken reply"


class DeadlineError(UpstreamError):
    """A shard did not answer in time. For an unsafe method it is unknown whether it took effect."""

    code, status, title = "SG2003", 504, "Deadline exceeded"
    cut_off = "deadline"
    no_reply = True


class ShardsMissingError(UpstreamError):
    """A list needs every shard, and some did not answer: `missing` names them."""

    code, status, title = "SG2004", 503, "Shards missing"
    nothing_done = True
    retry_after_s = 1


class ReplyTooLargeError(UpstreamError):
    """A shard's reply, or one of its rows, is larger than a bound: `limits.reply_body_bytes_max`, `merge_bytes_max`, or
    a fixed one, which `detail` names."""

    code, status, title = "SG2005", 502, "Reply too large to merge"


class KeyOnTwoShardsError(UpstreamError):
    """Two shards say that they hold the key, or showed it. An operator must look: the gateway does not choose."""

    code, status, title = "SG2006", 409, "Key found on two shards"


class OrderBrokenError(UpstreamError):
    """A shard's rows are not in the order that the rule says, so a merge would be wrong."""

    code, status, title = "SG2007", 502, "Rows out of order"


class LostReplyError(UpstreamError):
    """The connection broke after a changing request was sent: it is unknown whether it took effect."""

    code, status, title = "SG2008", 502, "Reply lost"


class NotEverywhereError(UpstreamError):
    """A change needs every shard, and some did not answer. It is undone on the shards that took it."""

    code, status, title = "SG2009", 503, "Change undone"
    nothing_done = True
    retry_after_s = 1


class ReplyPendingError(UpstreamError):
    """A shard did not say whether it made the change. The gateway will ask it; the status link tells the outcome."""

    code, status, title = "SG2010", 504, "Outcome pending"


class StuckError(UpstreamError):
    """A shard refused a change that others have taken. An operator must look (`shardgate journal`)."""

    code, status, title = "SG2011", 502, "Change incomplete"


class KeysMissingError(UpstreamError):
    """The keys that tokens are verified with could not be fetched yet. Nothing was sent to a shard."""

    code, status, title = "SG2012", 503, "Signing keys unavailable"
    nothing_done = True
    retry_after_s = 5


class DeclaredFailureError(UpstreamError):
    """A shard's reply is a failure by the application's own convention, as `failure_is` of the rule names it."""

    code, status, title = "SG2013", 502, "Shard reports a failure"
    no_reply = True


class OverloadError(ShardgateError):
    """The gateway or a shard has too much to do. The same request may succeed a little later."""

    code, status, title = "SG4001", 503, "Overloaded"
    nothing_done = no_reply = True
    retry_after_s = 1


class StoreUnavailableError(ShardgateError):
    """The gateway cannot use its store now: it is locked, full, read-only or gone. Nothing was sent to a shard."""

    code, status, title = "SG4002", 503, "Store unavailable"
    nothing_done = True
    retry_after_s = 1


class StoreUncertainError(StoreUnavailableError):
    """The connection to the gateway's store broke while it wrote something down, and the store cannot be asked since
    then: whether that is written is not known. Nothing was sent to a shard for it."""

    code, title = "SG4005", "Store outcome unknown"


class UnrecordedError(ShardgateError):
    """The change was under way when the gateway's store failed, so that its outcome is not written down yet: it may
    have been made or not. `detail` has a link that tells the outcome."""

    code, status, title = "SG4003", 500, "Outcome not recorded"


class EndedError(ShardgateError):
    """The gateway ended before the shard had answered. Where the request changes something, it may have been made or
    not; `detail` says so."""

    code, status, title = "SG4004", 503, "Gateway ended"
    cut_off: ClassVar[CutOff] = "drain"


class TenantMovesError(ShardgateError):
    """The data of the request is being moved to another shard, and that takes longer than requests wait. Nothing was
    sent to a shard."""

    code, status, title = "SG4010", 503, "Tenant moves"
    nothing_done = True
    retry_after_s = 1


class CutOffError(ShardgateError):
    """The gateway has lost its lease in the store, so that tenants may have been moved without its knowledge: it makes
    no changes until it has its lease again. Nothing was sent to a shard."""

    code, status, title = "SG4011", 503, "Cut off from the store"
    nothing_done = True
    retry_after_s = 5


class BugError(ShardgateError):
    """A defect of the gateway. The log has the traceback under the request's id."""

    code, status, title = "SG9001", 500, "Internal error"
