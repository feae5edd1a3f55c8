"""Every bound of the gateway, each with the reason for its number.

Holds: everything that can grow has a bound here, or is part of something that has one (a row is part of a body).
"""

from typing import Annotated, Final

import msgspec

# Apache accepts 8,190 bytes a line, nginx 32 KiB in all, Node 16 KiB in all: a head that they accept is accepted here.
HEAD_BYTES_MAX: Final = 32 * 1024
TARGET_BYTES_MAX: Final = 16 * 1024
FIELDS_MAX: Final = 100
# Proxies before one request. Real chains have two to five; an address takes 2 µs to read.
HOPS_MAX: Final = 100
# A chunk-size line is a number, and rarely an extension: this is far more than needed.
CHUNK_LINE_BYTES_MAX: Final = 256
# One event of a socket brings up to 256 KiB. Where they have more ends of lines than this, and so chunks of less than
# 1 KiB, so many bytes are read in one turn of the loop: 1 ms for chunks of one byte, 3 ms for the slowest.
CHUNKS_AT_ONCE: Final = 512
CHUNKS_BYTES_AT_ONCE: Final = 16 * 1024
# One turn of the loop may read 32 such events of one connection. After so many bytes of a body, others have their turn.
BODY_BYTES_AT_ONCE: Final = 1024 * 1024
# Interim replies (1xx) before one reply. An application that says every 20 s that it still works sends 100 in half an
# hour; Go's client reads as many bytes of them as of a head.
INTERIM_REPLIES_MAX: Final = 100
INTERIM_BYTES_MAX: Final = 64 * 1024
# What PHP, Django and Node read of one query or form. PHP drops the rest without a word: a key behind it would be the
# gateway's alone.
PARAMETERS_MAX: Final = 1000
# Of each object on the way to a key: one look at a member takes about 1.5 µs.
MEMBERS_MAX: Final = 1000
# A name or a key in a request. No identifier is longer, and keys are hashed, remembered and sent to shards.
NAME_BYTES_MAX: Final = 512
KEY_CHARACTERS_MAX: Final = 1024
# A JSON text of 4 MiB is read once in 14 ms at most, whatever is in it. A longer one that is searched for a key may
# have so many commas, opening brackets and escapes: they take about 10 ns each, and white space
FREE_JSON_BYTES_MAX: Final = 4 * 1024 * 1024
SEARCHED_MARKS_MAX: Final = 1_200_000
# Of a longer text, in runs of white space that no writer of JSON makes: 64 KiB and longer. It takes 3 ns a byte.
BLANK_BYTES_MAX: Final = 4 * 1024 * 1024
# A text with halves of surrogate pairs is copied without them and read again: 3 ns a byte, 0.1 µs an escape, 0.3 µs a
# half. One that is longer, or has more, is not read: 20 MB of line ends and one half took 4 s.
MASKED_BYTES_MAX: Final = 8 * 1024 * 1024
ESCAPES_MASKED_MAX: Final = 100_000
HALVES_MASKED_MAX: Final = 20_000
# A body that is divided or completed is read three or four times.
OPENED_BODY_BYTES_MAX: Final = 4 * 1024 * 1024
OPENED_MARKS_MAX: Final = 500_000
# The body of a search is read some ten times for each shard, in each round: 256 KiB hold 25,000 ids.
SEARCH_BODY_BYTES_MAX: Final = 256 * 1024
# The items of one body that is divided. Each is looked up (5 µs), and may be asked for at all shards.
ITEMS_MAX: Final = 1000
# The most that an operator may allow: 5,000 items take 25 ms.
ITEMS_ALLOWED_MAX: Final = 5_000
# The members of all items together, at any depth: colons are counted (0.5 µs each).
ITEM_COLONS_MAX: Final = 50_000
# The members of one item whose names must be folded, 5 µs each: honest items have one or two.
ITEM_TWINS_TRIED_MAX: Final = 8
# Header lines and blocks that were validated are remembered. A full memory is emptied.
REMEMBERED_LINES_MAX: Final = 4096
REMEMBERED_LINE_BYTES_MAX: Final = 1024
REMEMBERED_BLOCKS_MAX: Final = 1024
REMEMBERED_BLOCK_BYTES_MAX: Final = 4096
# A worker takes no clients before the first health check of each replica is over, for so long at most: with a new
# worker for each reload, a replica that hangs would be found out by clients again and again.
FIRST_CHECKS_S: Final = 2.0
# An address that answers none of the calls that wait for it is silent after so long: eight looks. Its calls are still
# waited for, but those that another can answer go there.
SILENT_S: Final = 2.0
# Between two looks there is a quarter of a second. A longer pause is the gateway's own, and says nothing of others.
LOOK_S_MAX: Final = 0.5
# Where nothing waits for it any more, a silent address is taken to answer after so long.
SILENCE_FORGOTTEN_S: Final = 5.0
# While it is silent and all connections are taken: one more a second finds out whether it answers again. So many in all
# are no burden, and last until the first calls have waited too long.
TRIAL_EVERY_S: Final = 1.0
TRIALS_MAX: Final = 16
# A call that another shard can answer waits at least so long for a silent address, which may just be answering again.
GIVE_WAY_S: Final = 0.5
# Where a shard's name has several addresses, the next is tried after so long (RFC 8305 section 8 recommends 250 ms), or
# sooner where connect_timeout_s leaves less for each.
NEXT_ADDRESS_S: Final = 0.25
# An address that was slower than another, or refused a connection, is tried last for so long.
NAME_LAGS_S: Final = 30.0
# A name is resolved again after so long: the shortest time that services with changing addresses give (Amazon ECS and
# Kubernetes take 5 to 60 s). The system does not say how long an answer holds.
NAME_LOOK_S: Final = 5.0
# A connection waits so long for an answer where addresses of an earlier one are known.
NAME_PATIENCE_S: Final = 0.25
# For so long these are used while there is no answer. They may belong to somebody else later.
NAME_KEPT_S: Final = 60.0
# An address that the name was answered without for so long is left: two answers may name different ones of many.
NAME_GONE_S: Final = 12.0
# Replicas of one shard that DNS names: more would be more connections and checks than one worker should have.
DISCOVERED_MAX: Final = 64
# Amazon's Cloud Map and Route 53 answer with eight addresses of many, chosen anew each time.
DISCOVERY_PART_OF: Final = 8
# DNS is asked again when its answer holds no longer: not sooner than this, whatever the answer says (0 is allowed), and
# not later than that: a replica that has gone is noticed by its calls, one that is new only by asking. After failures,
# the time doubles from the first to the second.
DISCOVERY_AGAIN_S, DISCOVERY_AGAIN_S_MAX = 1.0, 30.0
# An answer is waited for so long; each resolver for half of it.
DISCOVERY_PATIENCE_S: Final = 3.0
# New connections of one turn of the loop: 20 ms where so many have come. As many requests may be read in one turn; with
# fewer new connections those that are connected would be served, and new clients would wait.
ACCEPTED_AT_ONCE: Final = 256
# Connections that waited for a worker to begin, since the gateway was restarted, come at once. Until so long after the
# last of them was accepted, nobody is refused for an overload; and no longer than their clients wait at least.
BACKLOG_ANSWERED_S: Final = 1.0
BACKLOG_S_MAX: Final = 5.0
# So much of a reply with an idempotency key waits in memory for a slow client; then reading from the shard pauses.
WRITE_BUFFER_BYTES_MAX: Final = 256 * 1024
# Bytes that came whole are counted as held from this many on: counting costs 1 µs, and most requests are smaller.
COUNTED_BYTES_MIN: Final = 16 * 1024
# A reply that may say by its body that it is a failure, as `failure_is` of a rule names it: errors are short, and
# reading so much takes 0.1 ms.
FAILURE_BODY_BYTES_MAX: Final = 64 * 1024
# Of one worker and shard: requests with their bodies that wait for a shard which fails over. Orders take kilobytes, so
# that thousands fit; uploads are never among them.
FAILOVER_BYTES_MAX: Final = 16 * 1024 * 1024
# Requests of one worker that wait while a tenant moves. A fence is up for seconds; where the mover dies with
# the rows on two shards, it stays up until a person resumes the movement, and clients are told after this time.
FENCE_S_MAX: Final = 15.0
FENCE_REQUESTS_MAX: Final = 4096
FENCE_BYTES_MAX: Final = 32 * 1024 * 1024
# A reply is kept in pieces, as it came, up to this size and number; more is copied into one piece, which can grow.
PIECED_BYTES_MAX: Final = 1024 * 1024
PIECES_MAX: Final = 64
# What an item of a divided body takes besides its bytes: its key, its place, and where it stands.
ITEM_BYTES: Final = 250
# A client that does not read is told to wait once so much of its reply waits here; a reply is not read on meanwhile.
UNSENT_BYTES_MAX: Final = 64 * 1024
# A body up to this long is held until it is whole, so that a slow client does not occupy a shard's worker. A longer
# one, and one of unknown length, is sent on while it arrives.
SMALL_BODY_BYTES_MAX: Final = 64 * 1024
# One connection to a shard in so many may carry a body that still arrives; so many of the places in the queue may be
# taken by such bodies. The others are for requests that are whole: slow clients hold up only each other. A quarter is
# 64 uploads at a time to each shard, by the defaults: more than an application writes at a time.
UPLOADS_ONE_IN: Final = 4
# A packed reply is unpacked in steps of so many bytes, 1 ms each.
UNPACK_STEP_BYTES: Final = 256 * 1024
# Lists in JSON become 5 to 30 times smaller by gzip, very regular ones 60 times; a bomb a thousand times. The first
# bytes are free: short texts of one letter are no harm.
UNPACK_RATIO_MAX: Final = 100
UNPACK_FREE_BYTES: Final = 1024 * 1024
# Rows of one list that is merged whole, as `dedupe` needs it. Each takes about 500 bytes with its sort keys, its own
# bytes and those in the merged list.
WHOLE_ROWS_MAX: Final = 400_000
# One connection to a shard in so many may wait for a client that reads slowly while requests wait for a connection;
# beyond that the slowest replies are cut off. Who reads slower than this for so long is slow.
SLOW_READERS_ONE_IN: Final = 4
SLOW_READER_S: Final = 2.0
# Rows of all shards' reports that are merged by groups: each takes about 700 bytes, and 30 µs.
GROUPED_ROWS_MAX: Final = 100_000
# Their members: colons are counted. In the worst report, where one row has all of them, each takes 200 bytes.
GROUPED_COLONS_MAX: Final = 1_000_000
# Values of one list that is cut whole, those inside its rows too: each row takes 80 bytes, however short it is.
# 32 MB, the most that one reply has by default, are as many where each value takes 16 bytes with its name.
WHOLE_VALUES_MAX: Final = 2_000_000
# A page of fewer rows is not expected to be long.
FLOW_ROWS_MIN: Final = 200
# Replies that are this long together are merged while they arrive. Shorter ones are merged at once, in about 3 ms.
FLOW_BYTES_MIN: Final = 512 * 1024
# Replies of a short page that are whole: the merge in C takes about 1 ms for so many, and 5 ms where all are brackets.
QUICK_BYTES_MAX: Final = 2 * 1024 * 1024
# The same where members must be taken out of each row, which is slower.
TRIMMED_FLOW_BYTES_MIN: Final = 32 * 1024
# A merge of long replies that are whole holds them, their rows, and the merged reply.
WHOLE_MERGE_FACTOR: Final = 3
# Characters of a member's name in a shard's reply, where objects are taken apart.
MEMBER_NAME_MAX: Final = 16 * 1024
# A row that passes on, or the first two together. Checking a row of so many brackets is one call, of 25 ms; reading
# its sort keys is another.
ROW_BYTES_MAX: Final = 8 * 1024 * 1024
# So much of a shard's reply waits in memory for other shards or for the client; then reading from the shard pauses.
FLOW_WINDOW_BYTES: Final = 256 * 1024
# Where a list can be sorted by any property, one request names so many: each combination has a reader.
SORT_KEYS_MAX: Final = 16
# A page of a list teaches the shards of its rows, up to so many: more would push out keys that are in use.
LEARNED_ROWS_MAX: Final = 1000
# A longer key is not remembered: it would take the room of many.
LEARNED_KEY_CHARACTERS_MAX: Final = 256
# A directory with no more keys is a dict in each worker: 3 MB, read in 20 ms. Of a larger one there is a map, a file
# that the workers of a machine share.
DIRECTORY_HELD_KEYS_MAX: Final = 20_000
# The same where keys compare in another way than by their text: after each change all of them are compared anew, 1 ms.
DIRECTORY_COMPARED_KEYS_MAX: Final = 1_000
# Where pages ended, half a kilobyte each, for all workers: so many clients can page through lists at the same time.
PAGES_REMEMBERED_MAX: Final = 4096
# What the query of a list wants is remembered, with its text: 2 MiB of longest ones, and most have 50 characters.
QUERIES_REMEMBERED_MAX: Final = 1024
QUERY_REMEMBERED_CHARACTERS_MAX: Final = 1024
# The reply of a change that creates something is read for the new id; a larger reply is not read.
LEARNED_BODY_BYTES_MAX: Final = 256 * 1024
# The reply to a request with an idempotency key is kept for a day; a larger one is not, and its key stays in doubt.
KEPT_REPLY_BYTES_MAX: Final = 1024 * 1024
# The reply of a shard to a change that is journaled is written to the store, which takes nine times its size for a
# moment. The body of the change has 4 MiB at most, and its reply shows what was made of it.
JOURNALED_REPLY_BYTES_MAX: Final = 8 * 1024 * 1024
# Where only the shards know the owners of a request's items, they are asked for so many items at a time: one request
# takes no more connections of a shard.
PROBES_AT_ONCE: Final = 16
# A request line that asks for many keys: gunicorn takes 4,094 bytes of it by default, other servers 8 KiB and more.
BULK_TARGET_BYTES_MAX: Final = 4000
# A longer list takes the database of a shard long, and its loop: 100 keys are 10 requests for 1,000 items.
BULK_KEYS_ALLOWED_MAX: Final = 1000
# Its reply: a thousand rows of a kilobyte are cut in 2 ms. An application that ignores the filter may give all it has.
BULK_REPLY_BYTES_MAX: Final = 1024 * 1024
# Where pages are shorter than what is asked for, a shard is asked again, each time for the keys that are left. After so
# many pages they are asked for one by one.
BULK_ROUNDS_MAX: Final = 8
# Replies that are this long together are merged on a thread, where they cannot be merged in steps: 10 ms.
ASIDE_BYTES_MIN: Final = 64 * 1024
# So are lists in an object, where reading or writing that object is a long step: 10 ms.
ASIDE_STEPS_BYTES_MIN: Final = 4 * 1024 * 1024
# Bytes of one list that is merged whole and read page by page.
WHOLE_BYTES_MAX: Final = 64 * 1024 * 1024
# How many rounds may pass over rows before a page by cursors: 100,000 rows at 100 a round.
CURSOR_ROUNDS_MAX: Final = 1000

# Verified tokens, a kilobyte each; a client uses about one an hour. Beyond this the oldest is verified again.
TOKENS_REMEMBERED_MAX: Final = 10_000

# Clients that are not here now and have used up some of their rate, 300 bytes each. Who leaves this memory has its
# whole rate again: to push one's own entry out takes 65,536 other addresses, each of which has a rate of its own.
CLIENTS_REMEMBERED_MAX: Final = 65_536
# A client that was refused for its share is not read for as long as the refusal says, but no longer than this.
REST_S_MAX: Final = 10.0

# Their counters have room for twice as many, while those of an old configuration drain.
WORKERS_MAX: Final = 120

# Log lines of one shard and one kind of failure: so many at once, then one in ten seconds; the next counts the rest.
LOG_BURST: Final = 10
LOG_LINES_PER_S: Final = 0.1
# Shards times codes is far less, unless many shards fail together in many ways; beyond this the limits begin anew.
LOG_KINDS_MAX: Final = 1024
# A log line of a failure stays below what a pipe takes at once (4 KiB), also where every character takes six bytes.
LOG_TEXT_CHARACTERS_MAX: Final = 500
# A shard that goes down and comes back again and again: so many outages are logged at once, then one a minute.
OUTAGES_TOLD_BURST: Final = 3
OUTAGES_TOLD_PER_S: Final = 1 / 60

# A list lacks a shard: for so long the others may fail, too, so that the error names all that are missing.
FAIL_TOGETHER_S: Final = 0.25

# After a refusal: for so long the gateway reads and ignores what the client still sends, so that it can read the reply.
LINGER_S: Final = 2.0
# How long a reply is awaited after the client has closed its sending side: most clients have left, some wait.
HALF_CLOSED_S: Final = 2.0


# When a process ends: for so long an idle connection may send one more request; its reply closes the connection.
LAST_CHANCE_S: Final = 0.5

# For so long a change by `every` that is under way holds up changes of other things: all shards take all of them
# in one order. Most are over in milliseconds; one that a shard leaves open holds up its own thing alone from then on.
# Less than a change waits for earlier ones: nobody is refused for the sake of another thing.
ORDER_KEPT_S: Final = 2.0
# How long a change waits for earlier ones that are under way on the same shard.
ORDER_PATIENCE_S: Final = 10.0

JAR_BYTES_MAX: Final = 3800
"""A cookie that holds those of all shards: browsers keep 4096 bytes of name, value and attributes together."""

BATCH_REQUESTS_MAX: Final = 1000
"""The most requests that `requests_max` of a batch allows: each takes about as much as one that is sent alone."""

BUDGETS: Final = (
    "held_bytes",
    "journal",
    "changes_waiting",
    "requests_in_flight",
    "shard_calls",
    "shard_waiting",
    "shard_uploads",
    "shard_slow_readers",
    "client_connections",
    "client_requests",
    "client_uploads",
    "client_rate",
    "fair_share",
    "priority",
    "shard_failover",
    "fence",
)
"""The budgets that a request can use up, as metrics and logs name them.

`held_bytes`: what a worker holds of bodies and replies. `journal`: changes that are not over.
`changes_waiting`: changes by `every` that wait for earlier ones. `requests_in_flight`:
requests under way in a worker. `shard_calls`: calls to shards for one request. `shard_waiting`: requests that wait for
a connection to one shard. `shard_uploads`: bodies that wait until fewer others are on their way to one shard.
`shard_slow_readers`: replies whose clients read slowly, while requests wait for their connections.
`client_connections`, `client_requests`, `client_uploads`, `client_rate`: what one client may take up of a worker.
`fair_share`: what one client may have under way while a worker has more to do than it can.
`priority`: what less important classes may have under way meanwhile.
`shard_failover`: requests that wait for a shard which fails over. `fence`: requests that wait while a tenant moves.
"""

_AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
_NotNegative = Annotated[int, msgspec.Meta(ge=0)]
_Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bounds that an operator may set."""

    request_body_bytes_max: _AtLeastOne = 8 * 1024 * 1024 * 1024
    """The largest body of a request. A larger one gets 413 (SG1006)."""
    held_body_bytes_max: _AtLeastOne = 16 * 1024 * 1024
    """The largest body of a request that must be held whole, because something in it decides where it goes. A larger
    one gets 413 (SG1006)."""
    # Checking so many bytes of JSON takes 0.1 s. Lists that pass on while they arrive are not held.
    reply_body_bytes_max: _AtLeastOne = 32 * 1024 * 1024
    """The largest body of one shard's reply that must be held, to be merged or kept. A larger one gets 502 (SG2005).
    It cannot be more than one client may hold; where it is configured so, that is the bound."""
    # With their rows, sort keys and the merged reply they take three to four times as much.
    merge_bytes_max: _AtLeastOne = 64 * 1024 * 1024
    """The largest bodies of all shards' replies together that one merge holds. Larger ones get 502 (SG2005). A merge
    counts three times in what one client may hold, so that a third of that is the most."""
    # A page by cursors that takes CURSOR_ROUNDS_MAX rounds of four shards, and some for the search of an owner.
    calls_per_request_max: _AtLeastOne = 5000
    """Calls to shards for one request: all rounds, pages and probes together. One that needs more gets 413 (SG1026)
    before anything is changed."""
    held_bytes_max: _AtLeastOne = 256 * 1024 * 1024
    """In one worker: all that is held of requests and replies. Beyond it, the client that holds the most is refused its
    newest request with 503 (SG4001). The worker needs this memory, half as much again, and 60 MiB."""
    held_share_per_client_max: _Share = 0.5
    """How much of `held_bytes_max` the requests of one client, by its address, may hold: 0.5 is a half. Beyond it, its
    newest request gets 503 (SG4001). 1: as much as there is, for a gateway whose clients all have one address."""
    connections_per_shard_max: _AtLeastOne = 256
    """In one worker: connections to one shard."""
    waiting_per_shard_max: _AtLeastOne = 1024
    """In one worker: requests that wait for a connection to one shard. One more gets 503 (SG4001)."""
    # With connections to a dozen shards it stays below 20,000 file descriptors, which many systems give a process.
    client_connections_max: _AtLeastOne = 16_000
    """In one worker: connections of clients. One more is closed. Lower where the system gives a process fewer file
    descriptors than that and connections to shards need; a line of the log says so."""
    requests_in_flight_max: _AtLeastOne = 10_000
    """In one worker: requests under way. One more gets 503 (SG4001)."""
    # A category or an order takes kilobytes; each journaled body is on disk once for each shard, for `journal.kept_s`.
    journaled_body_bytes_max: _AtLeastOne = 4 * 1024 * 1024
    """The largest body of a change that is journaled (`every`, `place`, parts, all or none). A larger one gets 413
    (SG1006)."""
    # A shard that is down for an hour, with three changes a second; half a minute of replaying once it is back.
    journal_entries_max: _AtLeastOne = 10_000
    """Of all workers: the changes in the journal that are not over. One more gets 503 (SG4001)."""
    journal_bytes_max: _AtLeastOne = 1024 * 1024 * 1024
    """The same in bytes, of the requests of these changes. Beyond it a new one gets 503 (SG4001)."""
    # Each is a change of reference data, in milliseconds: more than this wait only where a shard hangs.
    changes_waiting_max: _AtLeastOne = 256
    """In one worker: changes by `every` that wait for earlier ones. One more gets 503 (SG4001), and one that has waited
    for 10 s: nothing of it was done. One whose client has left is not made."""
    # Kestrel's default for both directions. A modem of 1985 is quicker, and so is the worst of mobile networks.
    request_body_bytes_per_s_min: _NotNegative = 240
    """The slowest a client may send a body. It may fall behind by `timeouts.client_header_timeout_s`; then it gets 408
    (SG1013). Time in which the gateway itself does not read does not count. 0: there is no minimum."""
    reply_bytes_per_s_min: _NotNegative = 240
    """The slowest a client may read what is left of a reply, once the shard has sent all of it. It may fall behind by
    `timeouts.reply_idle_timeout_s`; then its connection is closed. 0: any progress is enough."""
    learned_keys_max: _AtLeastOne = 200_000
    """In one worker: keys whose shard is remembered. The oldest leave first."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The durations that an operator may set, in seconds."""

    connect_timeout_s: _Seconds = 1.0
    """To open a connection to a shard, with its TLS handshake."""
    request_timeout_s: _Seconds = 30.0
    """Until a shard's reply begins, with the wait for a connection; until it is whole, where it is merged whole. Then
    504 (SG2003)."""
    # Twice what clients with a hard limit wait (6 to 10 s): no slow report is cut that a client still waits for. Less
    # than request_timeout_s: there is time to ask another shard where any may answer.
    first_byte_timeout_s: _Seconds = 20.0
    """From a request that was sent whole to the first byte of its reply: an instance may accept connections and answer
    none. Then another shard is asked, where any may answer; otherwise 504 (SG2003)."""
    reply_idle_timeout_s: _Seconds = 60.0
    """Without a byte moving, while a body passes on in either direction."""
    request_total_timeout_s: _Seconds = 3600.0
    """For a request and its reply, except event streams and WebSockets. Also for a body that is held to arrive; then
    408 (SG1013)."""
    merge_timeout_s: _Seconds = 300.0
    """For the rounds of one merge behind the first: a deep page, a list read page by page. Then 504 (SG2003)."""
    stream_idle_timeout_s: _Seconds = 300.0
    """Without a byte moving, for event streams and WebSockets. Most send a sign of life every 15 to 60 s."""
    client_header_timeout_s: _Seconds = 30.0
    """For the head of a request to arrive, and for each next piece of its body. Then 408 (SG1013). A body may be behind
    `limits.request_body_bytes_per_s_min` by as much."""
    client_idle_timeout_s: _Seconds = 75.0
    """Between two requests of a client's connection."""
    shard_idle_timeout_s: _Seconds = 4.0
    """Between two requests of a shard's connection. Keep it shorter than the application's own (uvicorn 5 s, Node 5 s),
    so that the gateway closes first."""
    drain_timeout_s: _Seconds = 20.0
    """To answer what is under way, after SIGTERM or a reload."""
    # Longer than a worker of a busy machine stands still, shorter than anybody likes to wait after a crash.
    worker_lease_s: _Seconds = 5.0
    """After a worker has died: until another goes on with the changes that it had begun."""
    # Longer than a worker of a busy machine stands still: other workers accept its clients after a second.
    worker_silence_s: _Seconds = 10.0
    """A worker that gives no sign of life for so long, because it hangs or was stopped, is killed and replaced."""
    drain_delay_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    """After SIGTERM: how long requests are still accepted while `/readyz` says 503."""
