"""What `penstock route tune` reads and prints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from penstock.inference.cascade_tuning import Point, Stages, Tuned, curve, run, tune_for_cost, tune_for_quality
from penstock.inference.chart import Line, chart
from penstock.inference.rows import RowsError

HALF_A_POINT = 0.005
SHOWN = 11


@dataclass(frozen=True, slots=True)
class Written:
    """A step as the configuration has it: its target's name, the node as YAML, the check up to its number."""

    name: str
    use: str
    accept: str = "{logprob: {mean: "


def read_stages(path: Path, names: Sequence[str]) -> Stages:
    """Rows with outcomes, costs and signals of these targets. Raises RowsError."""
    quality: list[list[float]] = []
    cost: list[list[float]] = []
    signal: list[list[float]] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            quality.append([float(row["outcomes"][name]) for name in names])
            cost.append([float(row["costs"][name]) for name in names])
            # The last step accepts everything: its signal is never looked at.
            signal.append([*[float(row["signals"][name]) for name in names[:-1]], 0.0])
        except (ValueError, TypeError, KeyError) as error:
            what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise RowsError(
                f"{path}:{number}: {what}; a row has outcomes, costs and signals of each step"
            ) from None
    if not quality:
        raise RowsError(f"{path} has no rows")
    return Stages(tuple(names), np.array(quality), np.array(cost), np.array(signal))


def tuned_text(
    steps: Sequence[Written],
    path: Path,
    quality: float | None,
    cost: float | None,
    svg: Path | None,
    *,
    as_json: bool,
) -> str:
    """Tune, and say what came of it. Raises RowsError."""
    names = [step.name for step in steps]
    stages = read_stages(path, names)
    reference = float(stages.quality[:, -1].mean())
    tolerance = HALF_A_POINT if quality is None else reference - quality
    tuned = tune_for_cost(stages, cost) if cost is not None else tune_for_quality(stages, tolerance)
    curves = {names[place]: curve(stages, place) for place in range(len(names) - 1)}
    if svg is not None:
        svg.write_text(_drawn(stages, curves))
    told = _told(stages, tuned, curves)
    return json.dumps(told) if as_json else _text(told, stages, tuned, steps)


def _told(stages: Stages, tuned: Tuned | None, curves: dict[str, list[Point]]) -> dict[str, Any]:
    shown = {
        name: [
            {"least": p.least, "accepted": p.accepted, "cost_usd": p.cost, "quality": p.quality}
            for p in _some(points)
        ]
        for name, points in curves.items()
    }
    told: dict[str, Any] = {
        "rows": len(stages.quality),
        "reference": {
            "quality": float(stages.quality[:, -1].mean()),
            "cost_usd": float(stages.cost[:, -1].mean()),
        },
        "curve": shown,
        "tuned": None,
    }
    if tuned is not None:
        reached, spent = run(stages, tuned.steps)
        told["tuned"] = {
            "steps": [{"use": stages.names[step.place], "least": step.least} for step in tuned.steps],
            "saved": tuned.saved,
            "loss": tuned.loss,
            "loss_at_most": tuned.loss_at_most,
            "quality_on_rows": float(reached.mean()),
            "cost_usd_on_rows": float(spent.mean()),
        }
    return told


def _some(points: list[Point]) -> list[Point]:
    places = sorted(
        {round(place) for place in np.linspace(0, len(points) - 1, min(SHOWN, len(points))).tolist()}
    )
    return [points[place] for place in places]


def _text(told: dict[str, Any], stages: Stages, tuned: Tuned | None, written: Sequence[Written]) -> str:
    reference = told["reference"]
    known = f"quality {reference['quality']:.3f}, ${reference['cost_usd']:.6f}"
    lines = [f"{told['rows']} rows; {stages.names[-1]}: {known}"]
    for name, points in told["curve"].items():
        lines += ["", f"{name} before {stages.names[-1]}", "  accept from    accepted     cost     quality"]
        lines += [
            f"  {p['least']:>11.5g}  {p['accepted']:>8.1%}  ${p['cost_usd']:.6f}  {p['quality']:.3f}"
            for p in points
        ]
    if tuned is None:
        return "\n".join(
            [*lines, "", "No threshold keeps the promise with confidence: send everything to the last step."]
        )
    by_name = {each.name: each for each in written}
    steps = "\n".join(_step(by_name[step["use"]], step["least"]) for step in told["tuned"]["steps"])
    promise = (
        f"saves {tuned.saved:.1%} of the cost; quality falls by {100 * tuned.loss:.2f} points, at most "
        f"{100 * tuned.loss_at_most:.2f} with 80 % confidence"
    )
    return "\n".join([*lines, "", promise, "cascade:", steps, f"  - {written[-1].use}"])


def _step(written: Written, least: float) -> str:
    closing = "}" * written.accept.count("{")
    return f"  - {{use: {written.use}, accept: {written.accept}{least:.5g}{closing}}}"


def _drawn(stages: Stages, curves: dict[str, list[Point]]) -> str:
    cost = 1000.0
    lines = [
        Line(name, [(cost * point.cost, 100.0 * point.quality) for point in points])
        for name, points in curves.items()
    ]
    reference = float(stages.cost[:, -1].mean()) * cost
    level = 100.0 * float(stages.quality[:, -1].mean())
    lines.append(Line(f"{stages.names[-1]} alone", [(0.0, level), (reference, level)], dashed=True))
    return chart("Cascade: quality by cost", "dollars for 1,000 requests", "quality, %", lines)
