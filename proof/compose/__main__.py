"""`make compose-test`: starts deploy/compose.yaml by podman and asks it.

The last line says what was started and what holds. The exit code is 1 where one thing is not so.
"""

import argparse
import sys
from collections.abc import Iterator
from secrets import token_hex

import httpx
import yaml

from proof.compose.composed import Service, read
from proof.compose.images import find
from proof.compose.stack import STARTED_S, Stack
from proof.fleet import token
from tools.containers.container import until
from tools.containers.engine import ROOT, ContainersError, Engine

FILE = ROOT / "deploy/compose.yaml"
GATEWAYS = ("gateway-1", "gateway-2")
_PATHS = ("/v3/events?limit=20", "/v3/events?order=-rating&limit=50", "/v3/categories", "/v3/orders?limit=10")
_SCRAPED_S = 60.0


def main() -> None:
    """Start all, ask, and end it."""
    options = argparse.ArgumentParser(prog="python -m proof.compose", description=__doc__)
    options.add_argument("--scale", default="0.02", help="of the data; default: 0.02, 660 events")
    options.add_argument("--built", action="store_true", help="use the images of this checkout that are here")
    given = options.parse_args()
    services = read(yaml.safe_load(FILE.read_text()), {"BOOKINGS_SECRET": token_hex(32), "SCALE": given.scale})
    try:
        engine = Engine()
        with Stack(engine, FILE.parent) as stack:
            missing = [each.name for each in services if not _started(stack, engine, each, given.built)]
            wrong = [*_problems(stack)]
            rules = _alerts(stack, wrong) if "prometheus" in stack.started else 0
            wrong += [f"{name} ended with {code}" for name in GATEWAYS if (code := stack.stop(name)) != 0]
    except (ContainersError, httpx.HTTPError) as error:
        sys.exit(f"compose: {error}")
    for each in wrong:
        print(f"compose: WRONG: {each}")
    if wrong:
        sys.exit(1)
    print(
        f"compose: {len(services) - len(missing)} of {len(services)} services started, both gateways answer alike, "
        f"and are scraped; {rules} alerts are loaded; both drain"
    )


def _started(stack: Stack, engine: Engine, service: Service, built: bool) -> bool:
    found = find(engine, service, built=built)
    if found is None:
        print(f"compose: NOT STARTED: {service.name}: {service.image} cannot be had here", flush=True)
        return False
    if found.image != service.image:
        print(f"compose: {service.name}: {service.image} cannot be had here; {found.image} stands for it", flush=True)
    stack.start(service, found)
    print(f"compose: {service.name} starts", flush=True)
    return True


def _problems(stack: Stack) -> Iterator[str]:
    """What the gateways answer."""
    clients = {name: httpx.Client(base_url=_url(stack, name, 8080), timeout=60) for name in GATEWAYS}
    for name, client in clients.items():
        until(lambda client=client: _answers(client), STARTED_S, f"{name} does not answer")  # type: ignore[misc]
    headers = {"Authorization": f"Bearer {token(clients[GATEWAYS[0]], 'marketplace')}"}
    for path in _PATHS:
        replies = {name: client.get(path, headers=headers) for name, client in clients.items()}
        for name, reply in replies.items():
            if reply.status_code != 200 or (path.startswith("/v3/events") and not reply.json()):
                yield f"{name} answers GET {path} by {reply.status_code}: {reply.text[:200]}"
        if len({reply.content for reply in replies.values()}) != 1:
            yield f"the gateways answer GET {path} differently"
    for client in clients.values():
        client.close()


def _alerts(stack: Stack, wrong: list[str]) -> int:
    """How many alerts Prometheus has loaded; what it does not scrape is added to what is wrong."""
    with httpx.Client(base_url=_url(stack, "prometheus", 9090), timeout=60) as client:
        until(
            lambda: _targets(client) == {f"{name}:9901": "up" for name in GATEWAYS}, _SCRAPED_S, "not all are scraped"
        )
        groups = client.get("/api/v1/rules").raise_for_status().json()["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    wrong += [f"the alert {rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]
    written = yaml.safe_load((FILE.parent / "compose/alerts.yaml").read_text())["groups"]
    if (wanted := sum(len(group["rules"]) for group in written)) != len(rules):
        wrong.append(f"of {wanted} alerts {len(rules)} are loaded")
    try:
        stack.run_in("prometheus", "promtool", "check", "config", "/etc/prometheus/prometheus.yml")
    except ContainersError as error:
        wrong.append(f"promtool: {error}")
    return len(rules)


def _targets(client: httpx.Client) -> dict[str, str]:
    try:
        found = client.get("/api/v1/targets").raise_for_status().json()["data"]["activeTargets"]
    except httpx.HTTPError:
        return {}
    return {each["labels"]["instance"]: each["health"] for each in found}


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def _url(stack: Stack, name: str, port: int) -> str:
    return f"http://{stack.started[name].address}:{port}"


if __name__ == "__main__":
    main()
