"""The picture of the README: CPU time a request, as bars; an SVG that reads on light and dark pages."""

from html import escape

from bench import works
from bench.peers.roster import SUBJECT
from bench.results import Measured, Report

_WIDTH, _LEFT, _RIGHT, _BAR, _GAP, _TITLE = 760, 150, 90, 18, 8, 44
_STYLE = """<style>
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px } .small { font-size: 11px; fill: #656d76 }
  .bar { fill: #afb8c1 } .ours { fill: #0a7d5a } .name { text-anchor: end } .ours-name { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #8d96a0 } .bar { fill: #57606a } .ours { fill: #2ec492 }
  }
</style>"""


def draw(report: Report) -> str:
    """Three charts, each with its own scale."""
    charts = (
        ("Relay of 1 KB", works.RELAY),
        ("One sorted page out of 4 shards × 10 rows", works.gather(4, 10)),
        ("One sorted page out of 4 shards × 50 rows", works.gather(4, 50)),
    )
    parts: list[str] = []
    top = 10
    for title, work in charts:
        found = [each for each in report.measured if each.work == work and each.connections == 32]
        if found:
            top = _chart(parts, top, title, sorted(found, key=lambda each: each.median("cpu_us")))
    where = f"{report.machine.processor}, one core for each gateway · {report.date[:10]} · 32 connections · medians"
    parts.append(f'<text class="small" x="12" y="{top + 14}">{escape(where)}</text>')
    size = f'width="{_WIDTH}" height="{top + 28}" viewBox="0 0 {_WIDTH} {top + 28}"'
    body = "\n".join(parts)
    label = "CPU time a request: shardgate and its peers"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">\n{_STYLE}\n{body}\n</svg>\n'
    )


def _chart(parts: list[str], top: int, title: str, rows: list[Measured]) -> int:
    most = max(each.median("cpu_us") for each in rows)
    parts.append(f'<text class="title" x="12" y="{top + 20}">{escape(title)}: CPU µs a request, less is better</text>')
    y = top + _TITLE - 10
    for each in rows:
        ours = each.peer == SUBJECT.name
        value = each.median("cpu_us")
        width = max(2.0, (_WIDTH - _LEFT - _RIGHT) * value / most)
        middle = y + _BAR - 4
        name = "name ours-name" if ours else "name"
        parts.append(f'<text class="{name}" x="{_LEFT - 10}" y="{middle}">{escape(each.peer)}</text>')
        bar = "ours" if ours else "bar"
        parts.append(f'<rect class="{bar}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="3"/>')
        parts.append(f'<text x="{_LEFT + width + 8:.1f}" y="{middle}">{value:,.0f}</text>')
        y += _BAR + _GAP
    return y + 14
