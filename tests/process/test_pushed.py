"""A gateway of several workers pushes once for all of them, also after a worker died, and at its end."""

import os
import signal
from typing import Any

import httpx
import pytest

from tests.observe.receiver import receiving

pytest.importorskip("opentelemetry.proto", reason="opentelemetry-proto is not installed: `make setup` installs it")
pytestmark = pytest.mark.cluster


def test_one_worker_pushes_what_all_have_counted(serve: Any, shards: list[str]) -> None:
    with receiving() as receiver:
        serving = serve(shards={"one": shards[0]}, otlp={"url": receiver.url, "every_s": 1, "attributes": {"a": "b"}})
        for _ in range(20):
            assert httpx.get(f"{serving.url}/any").status_code == 200
        serving.wait_for(
            lambda: receiver.came and receiver.came[-1].value("shardgate_requests_total", operation="GET /any") == 20
        )
        assert receiver.came[-1].value("shardgate_workers") == 2
        resource = receiver.came[-1].decoded().resource_metrics[0].resource
        assert {each.key: each.value.string_value for each in resource.attributes}["a"] == "b"
        os.kill(serving.started[0], signal.SIGKILL)
        serving.wait_for(lambda: receiver.came[-1].value("shardgate_worker_restarts_total") == 1)
        before = len(receiver.came)
        assert httpx.get(f"{serving.url}/any").status_code == 200
        assert serving.end() == 0
        assert len(receiver.came) > before
        assert receiver.came[-1].value("shardgate_requests_total", operation="GET /any") == 21
        starts = {
            point.start_time_unix_nano
            for pushed in receiver.came
            for metric in pushed.decoded().resource_metrics[0].scope_metrics[0].metrics
            for point in metric.sum.data_points
        }
        assert len(starts) == 1  # the counters were never begun anew


def test_requests_are_served_while_the_receiver_is_away(serve: Any, shards: list[str]) -> None:
    with receiving() as receiver:
        away = receiver.url
    serving = serve(shards={"one": shards[0]}, otlp={"url": away, "every_s": 1})
    serving.wait_for(lambda: serving.metrics().value("shardgate_metrics_push_failures_total") >= 2)
    assert httpx.get(f"{serving.url}/any").status_code == 200
    assert serving.errors.read_text().count("metrics cannot be pushed") == 1


def test_where_metrics_go_changes_at_a_reload(serve: Any, shards: list[str]) -> None:
    with receiving() as receiver:
        serving = serve(shards={"one": shards[0]})
        serving.reload(otlp={"url": receiver.url, "every_s": 1})
        serving.wait_for(lambda: receiver.came)
