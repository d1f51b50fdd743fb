"""A small line chart as SVG, without any library: curves over a share or a cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 48, 58
COLOURS = ("#0b6e99", "#c4552d", "#4a7c3a", "#7a4d9f", "#8a6d1d", "#5b6770")
# So many intervals on an axis at least, of 1, 2, 2.5 or 5 times a power of ten.
TICKS = 4
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
CHAR = 7  # how wide a character of a name is taken to be
STYLE = 'font-family="sans-serif" font-size="12" fill="#222"'


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; a dashed one is there to compare with."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


def chart(title: str, x_name: str, y_name: str, lines: Sequence[Line]) -> str:
    """The document. Axes run over all points, to round numbers; names stand beside a sample of each line."""
    x_ticks = ticks([x for line in lines for x, _ in line.points])
    y_ticks = ticks([y for line in lines for _, y in line.points])
    x_low, x_high, y_low, y_high = x_ticks[0], x_ticks[-1], y_ticks[0], y_ticks[-1]

    def at(x: float, y: float) -> str:
        across = LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)
        down = HEIGHT - BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)
        return f"{across:.1f},{down:.1f}"

    middle, half = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    turned = f'x="18" y="{half:.0f}" transform="rotate(-90 18 {half:.0f})"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {STYLE}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="15" font-weight="600">{escape(title)}</text>',
        *_axes(x_ticks, y_ticks, at),
        f'<text x="{middle:.0f}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_name)}</text>',
        f'<text {turned} text-anchor="middle">{escape(y_name)}</text>',
    ]
    for number, line in enumerate(lines):
        parts.append(_curve(number, line, [at(x, y) for x, y in line.points]))
    parts += _names(lines)
    return "\n".join([*parts, "</svg>", ""])


def ticks(values: Sequence[float]) -> list[float]:
    """Round numbers at even distances, from below the least of the values to above the greatest."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(step for step in (each * power for each in STEPS) if step <= rough * (1 + 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _look(number: int, line: Line) -> str:
    dash = ' stroke-dasharray="5 4"' if line.dashed else ""
    return f'stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2"{dash}'


def _curve(number: int, line: Line, points: list[str]) -> str:
    return f'<polyline fill="none" {_look(number, line)} points="{" ".join(points)}"/>'


def _names(lines: Sequence[Line]) -> list[str]:
    """The lines' names on a ground of their own, at the lower right."""
    width = 42 + CHAR * max((len(line.name) for line in lines), default=0)
    height = 18 * len(lines) + 6
    x, y = WIDTH - RIGHT - 8 - width, HEIGHT - BOTTOM - 8 - height
    parts = [f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="#fff" fill-opacity="0.9"/>']
    for number, line in enumerate(lines):
        foot = y + 18 * (number + 1) - 2
        parts.append(
            f'<line x1="{x + 6}" y1="{foot - 4}" x2="{x + 30}" y2="{foot - 4}" {_look(number, line)}/>'
        )
        parts.append(f'<text x="{x + 36}" y="{foot}">{escape(line.name)}</text>')
    return parts


def _axes(x_ticks: list[float], y_ticks: list[float], at: Callable[[float, float], str]) -> list[str]:
    """A grid with its numbers."""
    parts: list[str] = []
    for x in x_ticks:
        foot, head = at(x, y_ticks[0]).split(","), at(x, y_ticks[-1]).split(",")
        parts.append(f'<line x1="{foot[0]}" y1="{foot[1]}" x2="{head[0]}" y2="{head[1]}" stroke="#e5e5e5"/>')
        parts.append(
            f'<text x="{foot[0]}" y="{float(foot[1]) + 18:.1f}" text-anchor="middle">{_number(x)}</text>'
        )
    for y in y_ticks:
        side, end = at(x_ticks[0], y).split(","), at(x_ticks[-1], y).split(",")
        parts.append(f'<line x1="{side[0]}" y1="{side[1]}" x2="{end[0]}" y2="{end[1]}" stroke="#e5e5e5"/>')
        where = f'x="{float(side[0]) - 8:.1f}" y="{float(side[1]) + 4:.1f}"'
        parts.append(f'<text {where} text-anchor="end">{_number(y)}</text>')
    return parts


def _number(value: float) -> str:
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}") if value else "0"
