"""A bar chart of requests/s as SVG, logarithmic, light and dark backgrounds alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from bench.report.summary import OURS, Line

WIDTH, BAR, GAP, LEFT, RIGHT, TOP = 760, 20, 8, 96, 90, 58
PANELS = (("rps.https", "HTTPS upstream"), ("rps.http", "HTTP upstream"))
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}.t{font-size:15px;font-weight:600}"
    ".n{text-anchor:end}.b{fill:#8c959f}.o{fill:#0969da}.g{stroke:#8c959f;stroke-opacity:.3}"
    "@media(prefers-color-scheme:dark){text{fill:#c9d1d9}.o{fill:#58a6ff}}"
)


def _text(x: float, y: float, words: str, name: str = "") -> str:
    kind = f' class="{name}"' if name else ""
    return f'<text x="{x:.0f}" y="{y:.0f}"{kind}>{escape(words)}</text>'


def _panel(y: float, title: str, values: Sequence[tuple[str, float]], decades: tuple[int, int]) -> list[str]:
    """One panel: a grid line per power of ten, one bar per contender."""
    low, high = decades
    scale = (WIDTH - LEFT - RIGHT) / (high - low)
    bottom = y + len(values) * (BAR + GAP)
    parts = [_text(LEFT, y - 8, title)]
    for decade in range(low, high + 1):
        x = LEFT + (decade - low) * scale
        parts.append(f'<line class="g" x1="{x:.0f}" x2="{x:.0f}" y1="{y:.0f}" y2="{bottom:.0f}"/>')
        parts.append(_text(x - 4, bottom + 14, f"{10**decade:,}"))
    for place, (name, value) in enumerate(values):
        top = y + place * (BAR + GAP)
        width = max(1.0, (math.log10(value) - low) * scale)
        kind = "o" if name == OURS else "b"
        parts.append(
            f'<rect class="{kind}" x="{LEFT}" y="{top:.0f}" width="{width:.0f}" height="{BAR}" rx="2"/>'
        )
        parts.append(_text(LEFT - 8, top + 15, name, "n"))
        parts.append(_text(LEFT + width + 6, top + 15, f"{value:,.0f}"))
    return parts


def chart(found: Sequence[Line]) -> str:
    """Both panels on one scale."""
    by_id = {line.row.id: line for line in found}
    panels = [(title, by_id[key]) for key, title in PANELS if key in by_id]
    rates = [value for _, line in panels for value in line.values.values() if value > 0]
    if not rates:
        return ""
    decades = math.floor(math.log10(min(rates))), math.ceil(math.log10(max(rates)))
    parts = [_text(LEFT, 20, "Requests a second on one core, 1 kB chat request (logarithmic)", "t")]
    y = float(TOP)
    for title, line in panels:
        values = sorted(line.values.items(), key=lambda pair: -pair[1])
        parts += _panel(y, title, [pair for pair in values if pair[1] > 0], decades)
        y += len(values) * (BAR + GAP) + TOP
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:.0f}" role="img">'
        f"<title>Requests a second on one core</title><style>{STYLE}</style>\n{body}\n</svg>\n"
    )
