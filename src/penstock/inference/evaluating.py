"""What a model would have done on labelled rows: APGR and CPT, against random and the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.inference.chart import Line, chart
from penstock.inference.costs import costs_from
from penstock.inference.curves import quality
from penstock.inference.router_model import RouterModel
from penstock.inference.rows import Rows, RowsError, split
from penstock.inference.training import Embed, Trained, items_of, train

Floats = NDArray[np.float64]


def trained_and_measured(
    rows: Rows,
    embed: Embed | None,
    embedder: str,
    held_out: float,
    seed: int,
    *,
    trust_preferences: bool = False,
) -> tuple[RouterModel, dict[str, Any]]:
    """A model of all rows, with the metrics of one that did not see `held_out` of them. Raises RowsError."""
    learnt, unseen = split(rows, held_out, f"held out {seed}")
    part = train(learnt, embed, embedder, seed, trust_preferences=trust_preferences)
    metrics = evaluated(part.model, unseen, embed)
    whole: Trained = train(rows, embed, embedder, seed, trust_preferences=trust_preferences)
    costs = costs_from(rows)
    told = {**metrics, **({"costs": costs.as_json()} if costs is not None else {})}
    return whole.model.with_about(metrics=told), metrics


def evaluated(model: RouterModel, rows: Rows, embed: Embed | None) -> dict[str, Any]:
    """Quality of each model and of the router's choice, for two models the curve. Raises RowsError."""
    if not len(rows):
        raise RowsError("no rows are left to measure on; give more, or hold fewer out")
    judged, known = judged_rows(model, rows, embed)
    means = dict(zip(rows.models, rows.quality.mean(axis=0).tolist(), strict=True))
    told: dict[str, Any] = {
        "rows": len(rows),
        "quality": {name: round(value, 4) for name, value in means.items()},
        "known": round(float(known.mean()), 4),
        "signal": model.about.signal,
        "why": model.about.why,
    }
    if rows.quality.shape[1] == 2:
        score = judged[:, 1] - judged[:, 0] if model.about.signal else np.zeros(len(rows))
        found = quality(np.where(known, score, np.median(score)), rows.quality[:, 0], rows.quality[:, 1])
        told |= {name: _rounded(value) for name, value in asdict(found).items()}
    else:
        best = rows.quality[np.arange(len(rows)), judged.argmax(axis=1)]
        told |= {
            "chosen": round(float(best.mean()), 4),
            "oracle": round(float(rows.quality.max(axis=1).mean()), 4),
        }
    return told


def judged_rows(model: RouterModel, rows: Rows, embed: Embed | None) -> tuple[Floats, NDArray[np.bool_]]:
    """What the model says of each row. Raises RowsError where it needs vectors and has none."""
    if not model.about.embedder:
        return model.judge_all(items_of(rows), None)
    if embed is None:
        raise RowsError("this model needs the embedder; run `penstock embedder install`")
    return model.judge_all(items_of(rows), embed(rows.prompts).astype(np.float64))


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_rounded(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    return round(value, 4) if isinstance(value, float) else value


def curve_chart(told: dict[str, Any], title: str) -> str:
    """PGR over the share of strong calls, as SVG."""
    shares = np.linspace(0.0, 100.0, len(told["deciles"])).tolist()

    def line(name: str, values: Sequence[float], *, dashed: bool = False) -> Line:
        return Line(name, list(zip(shares, [100.0 * value for value in values], strict=True)), dashed)

    lines = [
        line("router", told["deciles"]),
        line("oracle", told["oracle"], dashed=True),
        line("random", [share / 100.0 for share in shares], dashed=True),
    ]
    return chart(title, "requests to the strong model, %", "gap in quality recovered, %", lines)
