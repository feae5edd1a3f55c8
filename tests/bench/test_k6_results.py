"""The figures are read from k6's summary, and the last line counts the thresholds."""

import msgspec
import pytest

from bench.k6.results import Run, Threshold, print_table, read
from bench.k6.tool import Summary

SUMMARY = """{"metrics": {
  "http_req_waiting{scenario:steady}": {"type": "trend", "contains": "time",
    "values": {"med": 0.5, "p(95)": 4.25, "p(99)": 9.0},
    "thresholds": {"med<2": {"ok": true}, "p(95)<4": {"ok": false}}},
  "http_reqs{scenario:full}": {"type": "counter", "contains": "default",
    "values": {"count": 6000, "rate": 857.1}, "thresholds": {"count>0": {"ok": true}}},
  "vus": {"type": "gauge", "contains": "default", "values": {"value": 16, "min": 4, "max": 16}}}}"""


def test_requests_a_second_are_those_of_the_busy_part_alone() -> None:
    run = read("relay 1 KB", "shardgate", msgspec.json.decode(SUMMARY, type=Summary), 3.0, 40.0)
    assert (run.first_byte_p50_ms, run.first_byte_p95_ms, run.per_s) == (0.5, 4.25, 2000)
    assert (run.met, len(run.thresholds)) == (2, 3)


def test_the_last_line_counts_our_own_thresholds(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([_run("shardgate", [True, False]), _run("Flask", [False])], {"Go relay": "no Go"}, "shardgate")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "bench-k6: 1 of 2 thresholds met"
    assert "missing: Go relay: no Go" in lines


def _run(target: str, verdicts: list[bool]) -> Run:
    return Run(
        work="relay", target=target, first_byte_p50_ms=1, first_byte_p95_ms=1, first_byte_p99_ms=1, per_s=1,
        memory_mib=1, thresholds=[Threshold("p(95)<4", verdict) for verdict in verdicts],
    )  # fmt: skip
