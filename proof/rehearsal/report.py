"""The verdict over a whole rehearsal, and its last line.

*Never:* runs anything.
"""

from collections.abc import Mapping, Sequence

from tools.delivery.deployment import Deployment
from tools.delivery.load import Told


def summary(deployments: Sequence[Deployment], failed: int) -> str:
    """The line that counts."""
    kept = sum(deployment.kept for deployment in deployments)
    back = len(deployments) - kept
    return f"rehearsal: {len(deployments)} deployments, {kept} kept, {back} rolled back, {failed} failed requests"


def mistakes(
    deployments: Sequence[Deployment], good: Mapping[str, bool], clients: Told, *, requests_min: float, lost: int
) -> list[str]:
    """What is not as it must be, in words."""
    found = [
        f"{deployment.version} was {'kept' if deployment.kept else 'rolled back'}"
        for deployment in deployments
        if deployment.kept != good[deployment.version]
    ]
    if missing := set(good) - {deployment.version for deployment in deployments}:
        found.append(f"not deployed: {', '.join(sorted(missing))}")
    if clients.failed:
        found.append(f"{clients.failed} requests of clients failed: {dict(clients.failures)}")
    if clients.requests < requests_min:
        found.append(f"clients sent {clients.requests} requests, {requests_min:.0f} are due")
    if not clients.acknowledged:
        found.append("no order was made, so none was looked for")
    if lost:
        found.append(f"{lost} of {len(clients.acknowledged)} orders that were confirmed are not there")
    return found
