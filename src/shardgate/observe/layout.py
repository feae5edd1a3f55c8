"""Maps each series of each metric to its cell of the shared memory.

Holds: no label comes from a client: labels are operations, rules and shards of the configuration, and words of the
gateway. A layout only grows: a reloaded configuration keeps the cells of the one before, so workers of both can count
side by side, and no counter goes back.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import msgspec

from shardgate.core import errors
from shardgate.core.exchange import CUT_OFFS
from shardgate.core.held import HELD_KINDS
from shardgate.core.limits import BUDGETS
from shardgate.core.routes.route import Route
from shardgate.core.rules import Rule
from shardgate.core.topology import ShardId

# From the fastest relay on loopback to the longest deadline; three a decade.
BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
HISTOGRAM_CELLS = len(BOUNDS_S) + 2
"""One for each bucket, one for values above all buckets, and one for the sum, in microseconds."""
STATUS_CLASSES = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
NO_ROUTE = "none"
"""The operation and the rule of a request that no route matched."""

_RULES: dict[type, str] = {rule: str(rule.__struct_config__.tag) for rule in get_args(Rule)}
Labels = tuple[str, ...]


class Family(msgspec.Struct, frozen=True):
    """One metric: its name with the unit last, as Prometheus wants it, and its labels."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: Labels = ()
    per_unit: int = 1
    """How many counts of a cell are one unit of the metric: cells hold whole numbers."""


REQUESTS = Family(
    "shardgate_requests_total",
    "counter",
    "Requests that are over, by operation and class of status; none: no reply was begun.",
    ("operation", "rule", "status"),
)
FIRST_BYTE = Family(
    "shardgate_time_to_first_byte_seconds",
    "histogram",
    "From the head of a request to the first byte of its reply.",
    ("rule",),
    1_000_000,
)
DURATION = Family(
    "shardgate_request_duration_seconds",
    "histogram",
    "From the head of a request to the last byte of its reply.",
    ("rule",),
    1_000_000,
)
LIST_PAGES = Family(
    "shardgate_list_pages_total",
    "counter",
    "Pages with a limit that were merged, by operation and the number of rounds of calls to shards.",
    ("operation", "rounds"),
)
LIST_CALLS = Family(
    "shardgate_list_calls_total", "counter", "Calls to shards for these pages.", ("operation", "rounds")
)
LIST_ROWS = Family(
    "shardgate_list_rows_asked_total",
    "counter",
    "Rows that shards were asked for, for these pages.",
    ("operation", "rounds"),
)
LIST_ROUNDS = ("1", "2", "more")
RECEIVED = Family("shardgate_received_bytes_total", "counter", "Bytes of requests, heads and bodies.")
SENT = Family("shardgate_sent_bytes_total", "counter", "Bytes of replies, heads and bodies.")
ERRORS = Family("shardgate_errors_total", "counter", "Requests that the gateway itself refused or failed.", ("code",))
BUDGET_REFUSALS = Family(
    "shardgate_budget_refusals_total", "counter", "Requests that were refused because a budget is used up.", ("budget",)
)
DISPUTES = Family(
    "shardgate_key_disputes_total", "counter", "Keys that a shard showed though another had shown them.", ("shard",)
)
RETRIES = Family(
    "shardgate_upstream_retries_total",
    "counter",
    "Calls that another replica was asked after a failure.",
    ("shard",),
)
HEDGES = Family(
    "shardgate_upstream_hedges_total", "counter", "Reads that were sent to a second replica while late.", ("shard",)
)
LEFT_OUT = Family(
    "shardgate_replicas_left_out_total", "counter", "How often a replica was left out of the calls.", ("shard",)
)
DISCOVERY_FAILURES = Family(
    "shardgate_discovery_failures_total",
    "counter",
    "How often DNS named no replica, or did not answer: those that were known stay.",
    ("shard",),
)
REPLICAS_CHANGED = Family(
    "shardgate_replicas_changed_total",
    "counter",
    "Replicas that joined, left, or have another weight, as DNS says.",
    ("shard",),
)
PARTIAL = Family(
    "shardgate_partial_replies_total", "counter", "Lists that were answered without this shard.", ("shard",)
)
COALESCED = Family(
    "shardgate_coalesced_requests_total", "counter", "Requests that got the reply of an equal one that was under way."
)
CACHE_RESULTS = ("hit", "validated", "stale", "miss", "bypass")
CACHED = Family(
    "shardgate_cache_requests_total",
    "counter",
    "Requests of rules with `cache`: answered by what is kept, as it was, once the shards said that it holds, or since "
    "they failed; or by the shards.",
    ("result",),
)
FAILOVER_WAITING = Family(
    "shardgate_failover_waiting", "gauge", "Requests that wait for a shard which cannot be reached.", ("shard",)
)
FAILOVER_WAITS = Family(
    "shardgate_failover_waits_total", "counter", "How often a request began to wait for such a shard.", ("shard",)
)
DEADLINES = Family(
    "shardgate_deadlines_passed_total",
    "counter",
    "Requests that ended since their deadline had passed: that of their rule, or that of their client.",
    ("whose",),
)
HELD = Family("shardgate_held_bytes", "gauge", "What is held of bodies and replies, by kind.", ("kind",))
CUT_OFF = Family(
    "shardgate_requests_cut_off_total", "counter", "Requests whose reply did not reach its end.", ("reason",)
)
IN_FLIGHT = Family("shardgate_requests_in_flight", "gauge", "Requests that wait for the end of their reply.")
IN_FLIGHT_MAX = Family(
    "shardgate_requests_in_flight_max",
    "gauge",
    "How many may be under way before lists are refused: fewer while the workers have more to do than they can.",
)
CLASS_OUTCOMES = ("taken", "refused")
CLASSES = Family(
    "shardgate_class_requests_total",
    "counter",
    "Requests by priority class: taken on, or refused since the workers had more to do than they could.",
    ("class", "outcome"),
)
LAG = Family(
    "shardgate_loop_lag_seconds_total",
    "counter",
    "How late the loops of the workers were, of four looks a second.",
    (),
    1_000_000,
)
ACCEPT_QUEUE = Family("shardgate_accept_queue", "gauge", "New connections that no worker has accepted yet.")
CLIENTS = Family("shardgate_client_connections", "gauge", "Connections of clients that are open.")
CLIENTS_CAME = Family("shardgate_client_connections_opened_total", "counter", "Connections that clients opened.")
CLIENTS_REFUSED = Family(
    "shardgate_client_connections_refused_total", "counter", "Connections closed at once: too many are open."
)
UPSTREAM = Family(
    "shardgate_upstream_first_byte_seconds",
    "histogram",
    "From a request to a shard to the head of its reply.",
    ("shard",),
    1_000_000,
)
UPSTREAM_ERRORS = Family(
    "shardgate_upstream_errors_total", "counter", "Requests to a shard that had no whole reply.", ("shard", "code")
)
POOL_OPEN = Family("shardgate_upstream_connections", "gauge", "Connections to a shard that are open.", ("shard",))
POOL_IDLE = Family("shardgate_upstream_connections_idle", "gauge", "Those of them that wait for work.", ("shard",))
POOL_WAITING = Family("shardgate_upstream_waiting", "gauge", "Requests that wait for a connection.", ("shard",))
POOL_WAITS = Family("shardgate_upstream_waits_total", "counter", "Requests that had to wait for one.", ("shard",))
LINES_LOST = Family(
    "shardgate_access_log_lines_lost_total", "counter", "Lines of the access log that could not be written."
)
PUSH_FAILURES = Family(
    "shardgate_metrics_push_failures_total", "counter", "Pushes of metrics that the receiver did not take."
)
CPU = Family(
    "shardgate_worker_cpu_seconds_total", "counter", "CPU time of the workers, user and system.", (), 1_000_000
)
WORKERS = Family("shardgate_workers", "gauge", "Workers that serve.")
RESTARTS = Family("shardgate_worker_restarts_total", "counter", "Workers that died and were replaced.")
RELOADS = Family("shardgate_reloads_total", "counter", "Configurations read anew on SIGHUP.", ("outcome",))
RELOAD_OUTCOMES = ("taken", "refused")
CONFIGURED_AT = Family(
    "shardgate_configuration_timestamp_seconds", "gauge", "When the configuration in force was read."
)
DRAINING = Family("shardgate_draining", "gauge", "1 from SIGTERM on.")

FAMILIES = tuple(value for value in list(globals().values()) if isinstance(value, Family))


class Layout(msgspec.Struct, frozen=True):
    """All series, each with its first cell."""

    cells: Mapping[str, Mapping[Labels, int]]
    """Family → label values → cell."""
    size: int

    def cell(self, family: Family, *labels: str) -> int:
        """The first cell of a series."""
        return self.cells[family.name][labels]

    def gauges(self) -> list[int]:
        """The cells of gauges, which become 0 when their process ends."""
        return [cell for family in FAMILIES if family.kind == "gauge" for cell in self.cells[family.name].values()]

    def histograms(self) -> list[int]:
        """The first cell of each series of buckets."""
        return [cell for family in FAMILIES if family.kind == "histogram" for cell in self.cells[family.name].values()]

    def extended(self, routes: Iterable[Route], shards: Iterable[ShardId], classes: Iterable[str] = ()) -> "Layout":
        """This layout, with more cells for the routes, shards and priority classes that it lacks."""
        cells = {family.name: dict(self.cells.get(family.name, {})) for family in FAMILIES}
        size = self.size
        for family, labels in _series([*routes], [*shards], classes):
            if labels not in cells[family.name]:
                cells[family.name][labels] = size
                size += HISTOGRAM_CELLS if family.kind == "histogram" else 1
        return Layout(cells, size)


def rule_of(route: Route | None) -> str:
    """The name of a route's rule."""
    return NO_ROUTE if route is None or route.rule is None else _RULES[type(route.rule)]


def _series(routes: list[Route], shards: list[ShardId], classes: Iterable[str]) -> Iterable[tuple[Family, Labels]]:
    codes = error_codes()
    operations = [(route.operation, rule_of(route)) for route in routes]
    values: dict[Labels, list[Any]] = {
        (): [()],
        ("operation", "rule", "status"): [
            (*operation, status) for operation in [*operations, (NO_ROUTE, NO_ROUTE)] for status in STATUS_CLASSES
        ],
        ("operation", "rounds"): [(operation, rounds) for operation in dict(operations) for rounds in LIST_ROUNDS],
        ("rule",): [(rule,) for rule in [*_RULES.values(), NO_ROUTE]],
        ("code",): [(code,) for code in codes],
        ("reason",): [(reason,) for reason in CUT_OFFS],
        ("budget",): [(budget,) for budget in BUDGETS],
        ("kind",): [(kind,) for kind in HELD_KINDS],
        ("shard",): [(shard,) for shard in shards],
        ("shard", "code"): [(shard, code) for shard in shards for code in codes if code >= "SG2"],
        ("class", "outcome"): [(name, outcome) for name in classes for outcome in CLASS_OUTCOMES],
        ("whose",): [("client",), ("rule",)],
        ("result",): [(result,) for result in CACHE_RESULTS],
        ("outcome",): [(outcome,) for outcome in RELOAD_OUTCOMES],
    }
    return [(family, labels) for family in FAMILIES for labels in values[family.labels]]


def error_codes() -> list[str]:
    """The codes of all errors."""
    kinds = [value for value in vars(errors).values() if isinstance(value, type)]
    return sorted(kind.code for kind in kinds if issubclass(kind, errors.ShardgateError) and hasattr(kind, "code"))
