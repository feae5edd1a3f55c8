"""The Kubernetes base: what it names fits together, and a pod may do little."""

from pathlib import Path
from typing import Any

import yaml

from shardgate.config.load import load

BASE = Path(__file__).resolve().parents[2] / "deploy/kustomize"


def resources() -> dict[tuple[str, str], dict[str, Any]]:
    files = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    read = [each for file in files for each in yaml.safe_load_all((BASE / file).read_text())]
    return {(each["kind"], each["metadata"]["name"]): each for each in read}


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = resources()["Deployment", "shardgate"]["spec"]["template"]["spec"]
    return spec


def test_it_has_what_a_service_needs() -> None:
    assert resources().keys() == {
        ("Deployment", "shardgate"),
        ("Service", "shardgate"),
        ("Service", "shardgate-admin"),
        ("PodDisruptionBudget", "shardgate"),
    }


def test_the_pod_runs_without_root_and_without_rights() -> None:
    (container,) = pod()["containers"]
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["automountServiceAccountToken"] is False


def test_readiness_is_asked_before_liveness_and_of_another_page() -> None:
    (container,) = pod()["containers"]
    asked = {name: container[name]["httpGet"] for name in ("readinessProbe", "startupProbe", "livenessProbe")}
    assert {name: each["path"] for name, each in asked.items()} == {
        "readinessProbe": "/readyz",
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
    }
    out_s, restart_s = (
        container[name]["periodSeconds"] * container[name]["failureThreshold"]
        for name in ("readinessProbe", "livenessProbe")
    )
    assert out_s < restart_s


def test_ports_and_volumes_are_named_alike() -> None:
    (container,) = pod()["containers"]
    ports = {port["name"] for port in container["ports"]}
    for name in ("shardgate", "shardgate-admin"):
        assert {port["targetPort"] for port in resources()["Service", name]["spec"]["ports"]} <= ports
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod()["volumes"]}


def test_its_configuration_is_valid_and_drains_in_time(tmp_path: Path) -> None:
    (container,) = pod()["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    environment["SHARDGATE_STORE"] = str(tmp_path / "store.db")
    loaded = load(BASE / "shardgate.yaml", environment)
    timeouts = loaded.config.timeouts
    delay_s = timeouts.drain_delay_s
    readiness = container["readinessProbe"]
    assert delay_s > readiness["periodSeconds"] * readiness["failureThreshold"]
    assert delay_s + timeouts.drain_timeout_s + 5 <= pod()["terminationGracePeriodSeconds"]
