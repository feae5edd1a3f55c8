"""What an environment costs a month, estimated: the table of docs/howto/ecs.md.

Holds: prices are the public list prices of us-east-1 as of 2025, on demand, without taxes and discounts. Other
regions cost up to a fifth more. What a table cannot know (support, traffic between zones) is left out.
"""

from typing import Final, NamedTuple

from tools.docs.markdown import table

HOURS: Final = 730
_SECONDS: Final = HOURS * 3600
_GB: Final = 1e9

# US dollars: public list prices of us-east-1 as of 2025.
VCPU_H: Final = 0.04048
MEMORY_GB_H: Final = 0.004445
BALANCER_H: Final = 0.0225
BALANCER_UNIT_H: Final = 0.008
NAT_H: Final = 0.045
NAT_GB: Final = 0.045
ADDRESS_H: Final = 0.005
LOG_GB: Final = 0.50
ALARM: Final = 0.10
METRIC: Final = 0.30
TRAFFIC_GB: Final = 0.09
KEY: Final = 1.0
SECRET: Final = 0.40
DASHBOARD: Final = 3.0
DATABASE_H: Final = 0.129
"""`db.t4g.medium` with PostgreSQL in two zones."""
DATABASE_GB: Final = 0.23
DATABASE_ALARMS: Final = 2
FIREWALL: Final = 5.0 + 3 * 1.0
FIREWALL_MILLION: Final = 0.60

# Assumptions, said on the page.
REPLY_BYTES: Final = 5_000
LINE_BYTES: Final = 400
FLOW_BYTES: Final = 100
"""Of flow logs, a request: connections are kept, so that a line is of many requests."""
UNIT_GB_H: Final = 1.0
"""A unit of the load balancer passes so much an hour, or 25 new connections a second."""


class Size(NamedTuple):
    """An environment, and what it carries."""

    name: str
    requests_per_s: float
    """Over the whole month."""
    tasks: float
    """On average."""
    vcpu: float
    memory_gb: float
    zones: int
    nat_gateways: int
    firewall: bool
    database_gb: int = 0
    """0: there is none."""


SIZES: Final = (
    Size("staging.tfvars", 0.5, 2, 0.5, 1, 2, 1, firewall=False),
    Size("production.tfvars, little traffic", 20, 3, 2, 4, 3, 3, firewall=True),
    Size("production.tfvars, 400 requests/s", 400, 5, 2, 4, 3, 3, firewall=True),
    Size("the same with a database", 400, 5, 2, 4, 3, 3, firewall=True, database_gb=20),
)


def parts(size: Size) -> dict[str, float]:
    """Dollars a month, by what they are for."""
    requests = size.requests_per_s * _SECONDS
    replies_gb = requests * REPLY_BYTES / _GB
    lines_gb = requests * (LINE_BYTES + FLOW_BYTES) / _GB
    units = max(1.0, replies_gb / HOURS / UNIT_GB_H)
    addresses = size.zones + size.nat_gateways
    return {
        "tasks": size.tasks * HOURS * (size.vcpu * VCPU_H + size.memory_gb * MEMORY_GB_H),
        "load balancer": HOURS * (BALANCER_H + units * BALANCER_UNIT_H),
        "NAT": size.nat_gateways * HOURS * NAT_H + lines_gb * NAT_GB + addresses * HOURS * ADDRESS_H,
        "logs": lines_gb * LOG_GB,
        "alarms, metrics, keys": 14 * ALARM + 11 * METRIC + DASHBOARD + KEY + SECRET,
        "database": HOURS * DATABASE_H + size.database_gb * DATABASE_GB + DATABASE_ALARMS * ALARM
        if size.database_gb
        else 0.0,
        "firewall": FIREWALL + requests / 1e6 * FIREWALL_MILLION if size.firewall else 0.0,
        "traffic out": replies_gb * TRAFFIC_GB,
    }


def costs_table() -> str:
    """The table: a row for each size, rounded to whole dollars."""
    names = list(parts(SIZES[0]))
    rows = []
    for size in SIZES:
        found = parts(size)
        cells = [f"{found[name]:,.0f}" for name in names]
        rows.append([size.name, f"{size.requests_per_s:g}", *cells, f"**{sum(found.values()):,.0f}**"])
    return table(["size", "requests/s", *names, "sum"], rows)
