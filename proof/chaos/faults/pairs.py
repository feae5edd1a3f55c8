"""Two faults at once: the second begins while the first lasts."""

from proof.chaos.faults import clients, clock, crowds, deploy, naming, replicas, shards, store, workers

FAULTS = (
    replicas.FROZEN.with_(deploy.RELOADED, hold_s=8.0),
    replicas.KILLED.with_(deploy.RELOADED, hold_s=6.0),
    replicas.FROZEN.with_(deploy.UPGRADED, hold_s=6.0),
    shards.GONE.with_(deploy.UPGRADED),
    replicas.KILLED.with_(workers.KILLED, quick=True),
    replicas.SLOW.with_(workers.KILLED),
    shards.GONE.with_(deploy.RELOADED, hold_s=6.0),
    shards.GONE.with_(workers.KILLED),
    shards.FROZEN.with_(replicas.KILLED),
    workers.KILLED.with_(store.LOCKED, hold_s=6.0),
    workers.STOPPED.with_(replicas.FROZEN),
    store.LOCKED.with_(deploy.RELOADED, hold_s=8.0),
    replicas.KILLED.with_(crowds.OVERLOAD, hold_s=1.0),
    naming.SILENT.with_(replicas.KILLED),
    naming.WEIGHED.with_(replicas.FROZEN),
    deploy.RENEWED.with_(deploy.RELOADED, hold_s=8.0),
    clients.HALF_CLOSED.with_(replicas.KILLED),
    clock.BACK.with_(workers.KILLED),
    clock.AHEAD.with_(store.LOCKED, hold_s=6.0),
)
