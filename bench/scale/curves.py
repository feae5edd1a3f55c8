"""Curves as SVG that read on light and dark pages: both axes by powers, so that what doubles rises alike everywhere."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import Final

import msgspec

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 700, 280, 64, 150, 44, 44
_COLOURS: Final = ("ours", "second", "third")
_STYLE: Final = """<style>
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px } .small { font-size: 11px; fill: #656d76 }
  .grid { stroke: #d0d7de } path { fill: none; stroke-width: 2 }
  path.ours { stroke: #0a7d5a } circle.ours { fill: #0a7d5a }
  path.second { stroke: #8250df } circle.second { fill: #8250df }
  path.third { stroke: #bc4c00 } circle.third { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #8d96a0 } .grid { stroke: #30363d }
    path.ours { stroke: #2ec492 } circle.ours { fill: #2ec492 }
    path.second { stroke: #a371f7 } circle.second { fill: #a371f7 }
    path.third { stroke: #f0883e } circle.third { fill: #f0883e }
  }
</style>"""


class Curve(msgspec.Struct, frozen=True):
    """One line: pairs of numbers above 0."""

    name: str
    points: Sequence[tuple[float, float]]


class Chart(msgspec.Struct, frozen=True):
    """Curves over one axis."""

    title: str
    across: str
    curves: Sequence[Curve]


def draw(chart: Chart) -> str:
    """The chart as a file."""
    xs = [x for curve in chart.curves for x, _ in curve.points]
    ys = [y for curve in chart.curves for _, y in curve.points]
    low, high = floor(log10(min(ys))), max(ceil(log10(max(ys))), floor(log10(min(ys))) + 1)
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - log10(min(xs))) / max(log10(max(xs)) - log10(min(xs)), 1e-9)
        return _LEFT + wide * across, _TOP + tall * (high - log10(y)) / (high - low)

    parts = [f'<text class="title" x="12" y="24">{escape(chart.title)}</text>']
    for power in range(low, high + 1):
        _, y = place(min(xs), 10.0**power)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="small" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:,g}</text>')
    for value in sorted(set(xs)):
        x, _ = place(value, 10.0**low)
        label = f"{value:,.0f}"
        parts.append(f'<text class="small" x="{x:.1f}" y="{_TOP + tall + 18}" text-anchor="middle">{label}</text>')
    parts.append(f'<text class="small" x="{_LEFT}" y="{_HEIGHT - 8}">{escape(chart.across)}</text>')
    for colour, curve in zip(_COLOURS, chart.curves, strict=False):
        parts += _line(colour, curve.name, [place(x, y) for x, y in curve.points])
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(chart.title)}">'
    return "\n".join([head, _STYLE, *parts, "</svg>", ""])


def _line(colour: str, name: str, places: Sequence[tuple[float, float]]) -> list[str]:
    way = " L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    x, y = places[-1]
    return [
        f'<path class="{colour}" d="M{way}"/>',
        *[f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places],
        f'<text x="{x + 10:.1f}" y="{y + 4:.1f}">{escape(name)}</text>',
    ]
