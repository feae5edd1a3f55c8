"""The page of scale: its tables and curves are those of what was measured."""

import re
from xml.etree import ElementTree

import pytest

from bench.directory import PAGE
from bench.results import Machine
from bench.rig import load_id
from bench.scale import pages
from bench.scale.curves import Chart, Curve, draw
from bench.scale.results import ScaleReport, ShardsRun

WHERE = Machine(processor="one", cores=2, memory_gib=1, kernel="6", load_before=0.5)


def shards_run(shards: int, gather_us: float) -> ShardsRun:
    return ShardsRun(
        shards=shards,
        relay_us=50,
        gather_us=gather_us,
        relay_first_us=100,
        gather_first_us=300,
        gather_first_p99_us=900,
        connections=shards * 32,
        share=0.9,
    )


def test_a_gather_is_said_in_ratios_to_four_shards_and_by_what_a_shard_more_adds() -> None:
    report = ScaleReport(shards=[shards_run(1, 100), shards_run(4, 190), shards_run(64, 1990)])
    report.where["shards"], report.dates["shards"], report.how["shards"] = WHERE, "2026-11-28", "one worker"
    table = pages.shards(report).splitlines()
    assert table[0] == "2026-11-28, one, 2 cores, load 0.5 before the run; one worker."
    assert [line.split(" | ")[3:5] for line in table[4:]] == [["0.53", ""], ["1.00", "30 µs"], ["10.47", "30 µs"]]


def test_a_curve_rises_alike_for_what_doubles_alike() -> None:
    drawn = draw(Chart("a <title>", "shards", [Curve("one", [(1, 10), (10, 100), (100, 1000)])]))
    root = ElementTree.fromstring(drawn)
    (path,) = [each for each in root.iter() if each.tag.endswith("path")]
    numbers = [float(number) for number in re.findall(r"[\d.]+", path.attrib["d"])]
    (x1, y1, x2, y2, x3, y3) = numbers
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)
    assert y1 > y3


def test_the_load_asks_for_ids_that_the_directory_has() -> None:
    assert [load_id(0), load_id(1)] == ["0123456789abcdef0000000000000001", "0123456789abcdef9e3779b97f4a7c16"]


def test_the_page_has_the_tables_and_the_curves_of_what_was_measured() -> None:
    report = pages.load()
    drawn = pages.charts(report, pages.load_directory())
    assert pages.written(PAGE.read_text(), report, drawn) == PAGE.read_text()
    assert {file.name: file.read_text() for file in pages.pictures()} == {
        f"scale-{name}.svg": draw(chart) for name, chart in drawn.items()
    }


def test_a_table_takes_the_place_of_the_one_before() -> None:
    report = ScaleReport(shards=[shards_run(4, 190)])
    report.where["shards"], report.dates["shards"], report.how["shards"] = WHERE, "2026-11-28", "one worker"
    page = pages.written(PAGE.read_text(), report, {})
    assert "| 4 | 50 µs | 190 µs | 1.00 |  | 0.30 ms | 0.90 ms | 128 |" in page
    assert pages.written(page, report, {}) == page
