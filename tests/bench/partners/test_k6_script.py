"""The script for k6 makes of the definition what the generator makes of it. Its modules are stood in for, by node."""

import json
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
