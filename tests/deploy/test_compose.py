"""compose.yaml is valid by its specification (compose-spec.json is its schema, Apache-2.0); what it names is there."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from shardgate.config.load import load
from shardgate.config.variables import variables
from shardgate.observe.layout import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
_METRIC = re.compile(r"\bshardgate_\w+")


def composed() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return read


def metrics_in(text: str) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in _METRIC.findall(text)}


def test_it_is_valid_by_the_schema_of_the_specification() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(composed())


def test_it_has_three_shards_two_gateways_and_what_watches_them() -> None:
    services = composed()["services"]
    assert services.keys() == {
        "postgres", "prepare", "north", "south", "west", "gateway-1", "gateway-2", "prometheus", "grafana",
    }  # fmt: skip
    for name in ("gateway-1", "gateway-2", "north", "south", "west"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for each in services.values() for port in each.get("ports", []))


def test_no_secret_is_written_into_it() -> None:
    text = COMPOSE.read_text()
    assert not re.search(r"(PASSWORD|SECRET|TOKEN): (?!\$\{BOOKINGS_SECRET:\?)", text)


def test_every_file_that_it_mounts_or_builds_from_is_there() -> None:
    mounted = re.findall(r"^\s+- (\.{1,2}/[^:]+):", COMPOSE.read_text(), re.MULTILINE)
    assert len(mounted) > 6
    built = [each["build"] for each in composed()["services"].values() if "build" in each]
    files = [DEPLOY / path for path in mounted] + [ROOT / build["dockerfile"] for build in built]
    assert [str(file) for file in files if not file.is_file()] == []


def test_its_gateway_reads_its_configuration(tmp_path: Path) -> None:
    """With the paths that are there, instead of those in the container."""
    environment = dict(composed()["services"]["gateway-1"]["environment"])
    directory = tmp_path / "directory.db"
    directory.touch()
    environment["SHARDGATE_DIRECTORY"] = str(directory)
    loaded = load(ROOT / "examples/bookings/shardgate.yaml", environment)
    assert [shard.host for shard in loaded.shards.values()] == ["north", "south", "west"]
    timeouts = loaded.config.timeouts
    grace_s = float(composed()["services"]["gateway-1"]["stop_grace_period"].removesuffix("s"))
    assert timeouts.drain_delay_s + timeouts.drain_timeout_s + 5 <= grace_s


def test_its_dashboard_and_alerts_ask_for_metrics_that_exist() -> None:
    known = {family.name for family in FAMILIES}
    for file in ("compose/grafana/shardgate.json", "compose/alerts.yaml"):
        asked = metrics_in((DEPLOY / file).read_text())
        assert asked <= known, file
        assert len(asked) > 5


def test_the_alerts_are_those_that_the_operators_page_lists() -> None:
    page = (ROOT / "docs/howto/operate.md").read_text()
    rules = yaml.safe_load((DEPLOY / "compose/alerts.yaml").read_text())["groups"][0]["rules"]
    for rule in rules:
        for part in rule["expr"].split(" or "):
            assert part in page, rule["alert"]


def test_prometheus_asks_the_gateways_by_names_that_they_know() -> None:
    (job,) = yaml.safe_load((DEPLOY / "compose/prometheus.yaml").read_text())["scrape_configs"]
    hosts = {target.partition(":")[0] for target in job["static_configs"][0]["targets"]}
    services = composed()["services"]
    known = services["gateway-1"]["environment"]["SHARDGATE_ADMIN_HOSTS"].split(",")
    assert hosts == set(known) <= services.keys()


def test_every_variable_that_deploy_and_its_pages_name_is_one() -> None:
    files = [file for file in DEPLOY.rglob("*") if file.is_file() and "terraform" not in file.parts]
    files += [ROOT / "docs/howto/deploy.md"]
    own = {"SHARDGATE_CONFIG", "SHARDGATE_LOG_FORMAT", "SHARDGATE_SHARDS"}
    named = {name for file in files for name in re.findall(r"\bSHARDGATE_[A-Z0-9_]+\b", file.read_text())}
    assert named - own - variables().keys() == set()
    assert len(named) > 5
