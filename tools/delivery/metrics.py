"""What an Application Load Balancer saw of a set of tasks, by CloudWatch.

*Never:* asks anything: it writes the questions, and reads the answers.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tools.delivery.verdict import Sample

PERIOD_S: Final = 60
"""CloudWatch has figures of load balancers by the minute."""
_METRICS: Final = {
    "requests": ("RequestCount", "Sum"),
    "failed": ("HTTPCode_Target_5XX_Count", "Sum"),
    "unreached": ("TargetConnectionErrorCount", "Sum"),
    "p90": ("TargetResponseTime", "p90"),
}


def suffix(arn: str) -> str:
    """The name of a load balancer or a target group in its metrics: `app/NAME/ID`, `targetgroup/NAME/ID`."""
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")


def question(load_balancer: str, target_group: str, since: datetime, until: datetime) -> list[str]:
    """The command for the figures of a target group. Both are named by their ARNs."""
    dimensions = [
        {"Name": "LoadBalancer", "Value": suffix(load_balancer)},
        {"Name": "TargetGroup", "Value": suffix(target_group)},
    ]
    queries = [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions},
                "Period": PERIOD_S,
                "Stat": statistic,
            },
        }
        for name, (metric, statistic) in _METRICS.items()
    ]
    span = [f"--start-time={since.isoformat()}", f"--end-time={until.isoformat()}"]
    return ["cloudwatch", "get-metric-data", *span, f"--metric-data-queries={json.dumps(queries)}"]


def sample(answer: Mapping[str, Any]) -> Sample:
    """The answer as a sample. The p90 of several minutes is their mean, each minute by its requests."""
    series = {
        each["Id"]: dict(zip(each["Timestamps"], each["Values"], strict=True)) for each in answer["MetricDataResults"]
    }
    requests = series.get("requests", {})
    total = sum(requests.values())
    failed = sum(sum(series.get(name, {}).values()) for name in ("failed", "unreached"))
    timed = {at: seconds for at, seconds in series.get("p90", {}).items() if requests.get(at)}
    weight = sum(requests[at] for at in timed)
    p90_s = sum(seconds * requests[at] for at, seconds in timed.items()) / weight if weight else 0.0
    return Sample(int(total), int(failed), p90_s * 1000)
