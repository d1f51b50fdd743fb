"""A small line chart as SVG, without any library: curves over a share or a cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 48, 58
COLOURS = ("#0b6e99", "#c4552d", "#4a7c3a", "#7a4d9f", "#8a6d1d", "#5b6770")
TICKS = 5
STYLE = 'font-family="sans-serif" font-size="12" fill="#222"'


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; a dashed one is there to compare with."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


def chart(title: str, x_name: str, y_name: str, lines: Sequence[Line]) -> str:
    """The document. Axes run over all points; every line has its name beside a sample of it."""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    x_low, x_high = _range(xs)
    y_low, y_high = _range(ys)

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
        *_axes(x_low, x_high, y_low, y_high, at),
        f'<text x="{middle:.0f}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_name)}</text>',
        f'<text {turned} text-anchor="middle">{escape(y_name)}</text>',
    ]
    for number, line in enumerate(lines):
        parts += _line(number, line, [at(x, y) for x, y in line.points])
    return "\n".join([*parts, "</svg>", ""])


def _line(number: int, line: Line, points: list[str]) -> list[str]:
    colour = COLOURS[number % len(COLOURS)]
    dash = ' stroke-dasharray="5 4"' if line.dashed else ""
    y = HEIGHT - BOTTOM - 14 - 18 * number
    x = WIDTH - RIGHT - 190
    return [
        f'<polyline fill="none" stroke="{colour}" stroke-width="2"{dash} points="{" ".join(points)}"/>',
        f'<line x1="{x}" y1="{y - 4}" x2="{x + 24}" y2="{y - 4}" stroke="{colour}" stroke-width="2"{dash}/>',
        f'<text x="{x + 30}" y="{y}">{escape(line.name)}</text>',
    ]


def _axes(
    x_low: float, x_high: float, y_low: float, y_high: float, at: Callable[[float, float], str]
) -> list[str]:
    place = at
    parts: list[str] = []
    for number in range(TICKS + 1):
        part = number / TICKS
        x, y = x_low + part * (x_high - x_low), y_low + part * (y_high - y_low)
        foot, head = place(x, y_low).split(","), place(x, y_high).split(",")
        parts.append(f'<line x1="{foot[0]}" y1="{foot[1]}" x2="{head[0]}" y2="{head[1]}" stroke="#e5e5e5"/>')
        parts.append(
            f'<text x="{foot[0]}" y="{float(foot[1]) + 18:.1f}" text-anchor="middle">{_number(x)}</text>'
        )
        side, end = place(x_low, y).split(","), place(x_high, y).split(",")
        parts.append(f'<line x1="{side[0]}" y1="{side[1]}" x2="{end[0]}" y2="{end[1]}" stroke="#e5e5e5"/>')
        where = f'x="{float(side[0]) - 8:.1f}" y="{float(side[1]) + 4:.1f}"'
        parts.append(f'<text {where} text-anchor="end">{_number(y)}</text>')
    return parts


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _number(value: float) -> str:
    return f"{value:.3g}"
