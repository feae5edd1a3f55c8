"""Reads deploy/compose.yaml: what each service is, and in which order they start.

Never: starts anything.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
_LATE = ("prometheus", "grafana")
"""They name the gateways in their own files, and compose.yaml does not say so."""


class Healthcheck(msgspec.Struct, frozen=True):
    """When a service is there for others."""

    command: list[str]


class Service(msgspec.Struct, frozen=True):
    """One service."""

    name: str
    image: str
    dockerfile: str = ""
    """Relative to the checkout; empty: the image is somebody else's."""
    command: list[str] = []
    environment: Mapping[str, str] = {}
    volumes: list[str] = []
    ports: list[str] = []
    needs: Mapping[str, str] = {}
    """Service → what must be true of it: `service_healthy`, `service_completed_successfully`."""
    health: Healthcheck | None = None
    user: str = ""
    is_read_only: bool = False
    options: list[str] = []
    """Of `podman run`: what it may do."""
    stop_s: int = 10


def read(text: Mapping[str, Any], environment: Mapping[str, str]) -> list[Service]:
    """All services, each after those that it needs. Raises KeyError where a variable must be set."""
    services = [_service(name, _filled(given, environment)) for name, given in text["services"].items()]
    ordered: list[Service] = []
    left = sorted(services, key=lambda each: each.name in _LATE)
    while left:
        known = {each.name for each in ordered}
        following = next((each for each in left if each.needs.keys() <= known), None)
        if following is None:
            raise ValueError(f"these services wait for each other: {', '.join(each.name for each in left)}")
        ordered.append(following)
        left.remove(following)
    return ordered


def _service(name: str, given: Mapping[str, Any]) -> Service:
    needs = given.get("depends_on", {})
    health = given.get("healthcheck")
    options = [f"--cap-drop={each.lower()}" for each in given.get("cap_drop", ())]
    options += [f"--security-opt={each}" for each in given.get("security_opt", ())]
    options += [f"--tmpfs={each}" for each in given.get("tmpfs", ())]
    return Service(
        name=name,
        image=given["image"],
        dockerfile=given.get("build", {}).get("dockerfile", ""),
        command=[str(each) for each in given.get("command", ())],
        environment={key: str(value) for key, value in given.get("environment", {}).items()},
        volumes=given.get("volumes", []),
        ports=given.get("ports", []),
        needs=dict.fromkeys(needs, "service_started")
        if isinstance(needs, list)
        else {each: terms["condition"] for each, terms in needs.items()},
        health=None if health is None else Healthcheck(health["test"][1:]),
        user=given.get("user", ""),
        is_read_only=given.get("read_only", False),
        options=options,
        stop_s=int(str(given.get("stop_grace_period", "10s")).removesuffix("s")),
    )


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    """The same with the variables' values."""
    if isinstance(value, Mapping):
        return {key: _filled(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, environment) for each in value]
    if not isinstance(value, str):
        return value

    def fill(found: "re.Match[str]") -> str:
        name, kind, word = found.groups()
        if name in environment or kind != "-":
            return environment[name]
        return str(word)

    return _VARIABLE.sub(fill, value)
