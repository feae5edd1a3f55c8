"""The script for k6 makes of the definition what the generator makes of it. Its modules are stood in for, by node."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.partners.definition import read

PARTNERS = Path(__file__).resolve().parents[3] / "bench/partners"
NODE = shutil.which("node")
STAND_IN = """
import {{ readFileSync }} from "node:fs";
const __ENV = {{ FACTOR: "0.5", SECONDS: "30", POOL: "POOL", URL: "http://api", TOKEN: "t" }};
const pool = {{ dates: [{{ date: "d", event: "e", day: "D", "day+30": "D30", "day+90": "D90", "day+365": "Y" }}],
  offsets_max: 0, reference: "mark" }};
const open = (name) => name === "POOL" ? JSON.stringify(pool) : readFileSync(`{folder}/${{name}}`, "utf8");
const asked = [];
const added = [];
const sleep = () => {{}};
const execution = {{ scenario: {{ name: "" }} }};
const timings = {{ blocked: 1, connecting: 2, tls_handshaking: 3, duration: 4 }};
const http = {{ request: (...given) => {{ asked.push(given); return {{ status: 200, timings }}; }} }};
class Trend {{ add(value, tags) {{ added.push([value, tags]); }} }}
class Rate {{ add() {{}} }}
{script}
for (const name of Object.keys(options.scenarios)) {{ execution.scenario.name = name; travel(); }}
console.log(JSON.stringify({{ options, asked, added }}));
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if NODE is None:
        pytest.skip("node is not on the PATH: the script for k6 is not tested")
    lines = (PARTNERS / "k6.js").read_text().splitlines()
    script = "\n".join(line.removeprefix("export ") for line in lines if not line.startswith("import "))
    file = tmp_path_factory.mktemp("k6") / "run.mjs"
    file.write_text(STAND_IN.format(folder=PARTNERS, script="@@").replace("@@", script))
    done = subprocess.run([NODE, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_rates_are_those_of_the_definition(ran: Any) -> None:
    per_s = [each["rate"] / float(each["timeUnit"].rstrip("s")) for each in ran["options"]["scenarios"].values()]
    expected = [journey.per_s / 2 for scenario in read().scenarios for journey in scenario.journeys]
    assert per_s == pytest.approx(expected)
    assert {each["executor"] for each in ran["options"]["scenarios"].values()} == {"constant-arrival-rate"}


def test_each_limit_is_a_threshold_of_k6(ran: Any) -> None:
    thresholds = ran["options"]["thresholds"]
    for scenario in read().scenarios:
        for capability, limits in scenario.capabilities.items():
            of = f"{{partner:{scenario.partner},capability:{capability}}}"
            times = {"p(90)": limits.p90_ms, "p(95)": limits.p95_ms, "p(99)": limits.p99_ms, "max": limits.max_ms}
            assert thresholds[f"partner_took{of}"] == [f"{q}<={ms:g}" for q, ms in times.items() if ms is not None]
            [rate] = thresholds[f"partner_failed{of}"]
            assert float(rate.removeprefix("rate<=")) == pytest.approx(limits.errors_percent / 100)


def test_every_step_is_sent_filled_and_counted(ran: Any) -> None:
    steps = [step for scenario in read().scenarios for journey in scenario.journeys for step in journey.steps]
    assert [method for method, *_ in ran["asked"]] == [step.method for step in steps]
    for _, url, body, params in ran["asked"]:
        assert "{" not in url
        assert body is None or isinstance(json.loads(body), dict)
        assert params["headers"]["Authorization"] == "Bearer t"
    assert [value for value, _ in ran["added"]] == [10] * len(steps)
    assert [tags["capability"] for _, tags in ran["added"]] == [step.capability for step in steps]


def parsed(name: str) -> tuple[str, dict[str, str]]:
    """The name of a threshold as k6 reads it (ParseMetricName): tags are divided at commas, whatever is in them."""
    metric, brace, rest = name.partition("{")
    if not brace:
        return name, {}
    assert rest.endswith("}")
    tags = [tag.partition(":") for tag in rest[:-1].split(",")]
    assert all(colon and value for _, colon, value in tags), f"k6 refuses {name!r}"
    return metric, {key.strip(): value.strip() for key, _, value in tags}


def test_k6_reads_each_threshold_as_it_is_meant(ran: Any) -> None:
    # Found: "availability, one day" is two tags for k6, of which the second has no value: it did not run at all.
    limited = {
        (metric, scenario.partner, capability)
        for metric in ("partner_took", "partner_failed")
        for scenario in read().scenarios
        for capability in scenario.capabilities
    }
    read_by_k6 = [(*parsed(name), name) for name in ran["options"]["thresholds"]]
    assert {(metric, tags["partner"], tags["capability"]) for metric, tags, _ in read_by_k6 if tags} == limited
    assert [name for _, tags, name in read_by_k6 if not tags] == ["dropped_iterations"]
    for expressions in ran["options"]["thresholds"].values():
        for each in expressions:
            assert re.fullmatch(r"(p\(\d+(\.\d+)?\)|max|rate|count)(<=|==)\d+(\.\d+)?", each), each


def test_what_k6_counts_is_found_again_by_the_thresholds(ran: Any) -> None:
    counted = {(tags["partner"], tags["capability"]) for _, tags in ran["added"]}
    assert counted == {(s.partner, capability) for s in read().scenarios for capability in s.capabilities}


def test_each_scenario_is_one_that_k6_runs(ran: Any) -> None:
    for name, each in ran["options"]["scenarios"].items():
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name)
        assert isinstance(each["rate"], int)
        assert each["rate"] > 0
        assert 0 < each["preAllocatedVUs"] <= each["maxVUs"]
        assert re.fullmatch(r"\d+s", each["timeUnit"])
        assert (each["duration"], each["exec"]) == ("30s", "travel")
