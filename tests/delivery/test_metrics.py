"""What CloudWatch answers becomes a sample, and a minute without requests changes nothing."""

import json
from datetime import UTC, datetime
from typing import Any

from tools.delivery.metrics import question, sample, suffix
from tools.delivery.verdict import Sample

BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shardgate/50dc6c495c0c9188"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shardgate-blue/73e2d6bc24d8a067"


def series(name: str, **values: float) -> dict[str, Any]:
    return {"Id": name, "Timestamps": list(values), "Values": list(values.values())}


def test_minutes_are_added_up_and_the_p90_is_weighted_by_requests() -> None:
    answer = [
        series("requests", m1=300, m2=100),
        series("failed", m2=3),
        series("unreached", m1=1),
        series("p90", m1=0.04, m2=0.08),
    ]
    assert sample({"MetricDataResults": answer}) == Sample(400, 4, 50.0)


def test_no_figures_are_no_requests() -> None:
    assert sample({"MetricDataResults": [series(name) for name in ("requests", "failed", "p90")]}) == Sample(0, 0, 0.0)
    assert sample({"MetricDataResults": []}) == Sample(0, 0, 0.0)


def test_a_question_names_both_and_its_span() -> None:
    command = question(BALANCER, GROUP, datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2, 4, tzinfo=UTC))
    assert command[:3] == ["cloudwatch", "get-metric-data", "--start-time=2026-01-02T03:00:00+00:00"]
    queries = json.loads(command[-1].partition("=")[2])
    assert {query["Id"] for query in queries} == {"requests", "failed", "unreached", "p90"}
    assert {each["Value"] for query in queries for each in query["MetricStat"]["Metric"]["Dimensions"]} == {
        "app/shardgate/50dc6c495c0c9188",
        "targetgroup/shardgate-blue/73e2d6bc24d8a067",
    }


def test_the_name_in_metrics() -> None:
    assert suffix(BALANCER) == "app/shardgate/50dc6c495c0c9188"
