"""The schedule, the ramp, the gateway's share, and what k6 writes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import pytest

from bench.partners import ramp
from bench.partners.definition import FOLDER, read
from bench.partners.filling import Pool, Values
from bench.partners.k6_run import read as read_k6
from bench.partners.own_share import own_ms
from bench.partners.samples import Load, Sample
from bench.partners.schedule import arrivals


def test_clients_come_at_their_rate_in_order_and_each_kind_once_at_least() -> None:
    definition = read()
    found = arrivals(definition, 20.0, Random(1))
    requests = sum(len(each.journey.steps) for each in found)
    assert requests / 20 == pytest.approx(definition.requests_per_s, rel=0.1)
    assert [each.at_s for each in found] == sorted(each.at_s for each in found)
    few = arrivals(definition.scaled(0.001), 5.0, Random(1))
    kinds = {(scenario.partner, each.name) for scenario in definition.scenarios for each in scenario.journeys}
    assert {(each.partner, each.journey.name) for each in few} == kinds
    assert arrivals(definition, 5.0, Random(3)) == arrivals(definition, 5.0, Random(3))


def test_every_request_of_the_definition_can_be_filled() -> None:
    day = {f"day+{days}": "2026-06-01" for days in (30, 90, 365)}
    values = Values(Pool([{"date": "d", "event": "e", "day": "2026-05-01", **day}], 7, "mark"), Random(1))
    for scenario in read().scenarios:
        for journey in scenario.journeys:
            for step in journey.steps:
                request = values.request(step)
                assert "{" not in request.target
                assert request.body is None or isinstance(msgspec.json.decode(request.body), dict)


def test_the_ramp_ends_at_the_whole_rate() -> None:
    rates = list(ramp.rates(100))
    assert rates[0] == ramp.FIRST_PER_S
    assert rates == sorted(rates)
    assert rates[-1] == 100
    assert list(ramp.rates(5)) == [5]


def test_a_rate_at_which_requests_wait_for_each_other_is_not_carried() -> None:
    assert ramp.carried(Load([Sample("P", "c", 0, 100, 200, failed=False)], 1.0)) == ""
    assert "p95" in ramp.carried(Load([Sample("P", "c", 0, 300, 200, failed=False)], 1.0))
    assert "failed" in ramp.carried(Load([Sample("P", "c", 0, 100, 503, failed=True)], 1.0))
    assert "not over" in ramp.carried(Load([], 1.0, unsent=3))


def test_the_share_of_the_gateway_is_its_time_without_the_shards() -> None:
    line = '{"time":"2026-11-28T04:00:%sZ","status":200,"duration_us":9000,"ttfb_us":%d,"upstream_us":%d}'
    lines = [
        line % ("10.500", 6000, 5500),
        line % ("11.000", 8000, 5000),
        line % ("59.000", 9000, 1),
        line % ("11", 5, 0),
    ]
    since, until = (datetime(2026, 11, 28, 4, 0, second, tzinfo=UTC) for second in (10, 12))
    assert own_ms([each.encode() for each in lines], since, until) == {"": [0.5, 3.0]}


K6 = """{"type":"Metric","data":{"name":"partner_took","type":"trend"},"metric":"partner_took"}
{"metric":"partner_took","type":"Point","data":{"time":"2026-11-28T04:00:01.000Z","value":250,"tags":{"partner":"P","capability":"c","answered":"200","expected":"true"}}}
{"metric":"http_reqs","type":"Point","data":{"time":"2026-11-28T04:00:01.000Z","value":1,"tags":{"status":"200"}}}
{"metric":"partner_took","type":"Point","data":{"time":"2026-11-28T04:00:03.500+00:00","value":500,"tags":{"partner":"P","capability":"c","answered":"503","expected":"false"}}}
{"metric":"dropped_iterations","type":"Point","data":{"time":"2026-11-28T04:00:04.000Z","value":2,"tags":{"scenario":"x"}}}
"""  # fmt: skip


def test_what_k6_writes_becomes_the_same_samples() -> None:
    load = read_k6(K6.encode().splitlines(), 10.0)
    assert load.samples == [
        Sample("P", "c", -0.25, 250, 200, failed=False),
        Sample("P", "c", 2.0, 500, 503, failed=True),
    ]
    assert (load.unsent, load.lasted_s) == (2, 10.0)


@pytest.mark.parametrize("name", ["availability, one day", "a:b", "a{b}", "", 'a "b"'])
def test_a_name_that_k6_reads_otherwise_is_refused(tmp_path: Path, name: str) -> None:
    given = json.loads((FOLDER / "google.json").read_text())
    given["capabilities"][name] = {"errors_percent": 1}
    given["journeys"][0]["steps"].append({"capability": name, "method": "GET", "target": "/health"})
    (tmp_path / "google.json").write_text(json.dumps(given))
    with pytest.raises(msgspec.ValidationError, match="letters, digits and spaces"):
        read(tmp_path)
