"""The Kubernetes base: what it names fits together, and a pod may do little."""

import copy
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
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


# kubernetes.json: the schemas of Kubernetes 1.37 for the kinds that are used here.

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parent / "kubernetes.json").read_text())


def wrong(resource: dict[str, Any]) -> list[str]:
    """What Kubernetes would refuse, with its place."""
    schema = {**SCHEMAS["kinds"][resource["kind"]], "definitions": SCHEMAS["definitions"]}
    found = jsonschema.Draft7Validator(schema).iter_errors(resource)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}"[:200] for error in found]


@pytest.mark.parametrize("kind", ["Deployment shardgate", "Service shardgate", "Service shardgate-admin"])
def test_each_resource_is_valid_for_kubernetes(kind: str) -> None:
    first, _, name = kind.partition(" ")
    assert wrong(resources()[first, name]) == []


def test_the_budget_for_disruptions_is_valid_for_kubernetes() -> None:
    assert wrong(resources()["PodDisruptionBudget", "shardgate"]) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("spec", "replicas"), "two", "'two' is not of type"),
        (("spec", "replica"), 2, "'replica' was unexpected"),
        (("spec", "template", "spec", "containers", 0, "readinessProbe", "periodSecond"), 2, "'periodSecond'"),
        (("spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"), "8080", "'8080' is not of type"),
        (("spec", "template", "spec", "containers", 0, "name"), None, "None is not of type"),
    ],
)
def test_what_is_wrong_is_found(path: tuple[Any, ...], value: Any, said: str) -> None:
    changed = copy.deepcopy(resources()["Deployment", "shardgate"])
    at: Any = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    (problem,) = wrong(changed)
    assert said in problem


def test_what_kustomize_makes_of_the_base_is_valid() -> None:
    """With the labels and the ConfigMap that kustomize adds."""
    program = shutil.which("kustomize"), shutil.which("kubectl")
    if program == (None, None):
        pytest.skip("there is neither kustomize nor kubectl here: what they make of the base was not looked at")
    command = [program[0], "build"] if program[0] is not None else [str(program[1]), "kustomize"]
    made = subprocess.run([*command, str(BASE)], capture_output=True, text=True, check=True)
    read = [*yaml.safe_load_all(made.stdout)]
    assert sorted(each["kind"] for each in read) == [
        "ConfigMap", "Deployment", "PodDisruptionBudget", "Service", "Service",
    ]  # fmt: skip
    assert [problem for each in read for problem in wrong(each)] == []
    (deployment,) = [each for each in read if each["kind"] == "Deployment"]
    (config,) = [each for each in read if each["kind"] == "ConfigMap"]
    volumes = {each["name"]: each for each in deployment["spec"]["template"]["spec"]["volumes"]}
    assert volumes["config"]["configMap"]["name"] == config["metadata"]["name"]  # another configuration is rolled out
    for each in read:
        selector = each["spec"]["selector"] if each["kind"] in {"Deployment", "Service"} else None
        assert selector is None or "shardgate" in json.dumps(selector)
