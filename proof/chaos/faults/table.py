"""All faults."""

from proof.chaos.fault import Fault
from proof.chaos.faults import clients, clock, crowds, deploy, naming, pairs, replicas, shards, store, workers


def all_faults() -> list[Fault]:
    """One after another, then in pairs; those of one gateway stand together."""
    groups = (replicas, shards, workers, clients, store, deploy, clock, naming, crowds, pairs)
    listed = [fault for group in groups for fault in group.FAULTS]
    return sorted(listed, key=lambda fault: (_STAGES.index(fault.stage), "+" in fault.name))


_STAGES = ("plain", "disk", "passed", "names", "services", "clock", "waiting", "tls", "busy", "classed", "fair")
