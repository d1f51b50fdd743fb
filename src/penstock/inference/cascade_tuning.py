"""Thresholds of a cascade from labelled rows, so that what is promised also holds on rows not seen.

Trying every threshold on the rows at hand and taking the best breaks its promise: the best of many is the
luckiest. So: chains are few; how right a model is given its signal is a smooth curve (logistic, its
uncertainty known), pooled over all rows; of thresholds on one such curve the last one is taken at which the
loss stays below the tolerance with confidence; and where none does, nothing is tuned (the stop rule).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.core.answer_features import surprise
from penstock.inference.logistic import fit

Floats = NDArray[np.float64]
DRAWS = 200
# How sure the bound on the loss is, one-sided.
SURE = 0.8
LEAST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Stages:
    """What each model did on each row, (rows, models), from the cheapest model to the reference.

    `signal`: what an answer says of itself, higher for surer: a log probability, a share that agrees, a score.
    """

    names: tuple[str, ...]
    quality: Floats
    cost: Floats
    signal: Floats

    def take(self, places: NDArray[np.intp]) -> Stages:
        """Those rows."""
        return Stages(self.names, self.quality[places], self.cost[places], self.signal[places])


@dataclass(frozen=True, slots=True)
class Step:
    """A stage whose answer is accepted where its signal is at least `least`."""

    place: int
    least: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """A cascade: `steps` before the reference, which accepts everything.

    `loss`: expected fall of quality against the reference; `loss_at_most`: with confidence SURE. `saved`:
    share of the reference's cost.
    """

    steps: tuple[Step, ...]
    saved: float
    loss: float
    loss_at_most: float


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold of a two-step cascade brings: shares of the rows, dollars for each, quality."""

    least: float
    accepted: float
    cost: float
    quality: float
    loss_at_most: float


def chains_of(count: int) -> list[tuple[int, ...]]:
    """The candidates for `count` models, the reference last: each alone before it, and the first two."""
    chains: list[tuple[int, ...]] = [(place,) for place in range(count - 1)]
    return [*chains, (0, 1)] if count > 2 else chains


def tune_for_quality(
    stages: Stages, tolerance: float, seed: int = 0, chains: Sequence[tuple[int, ...]] | None = None
) -> Tuned | None:
    """The cheapest cascade whose quality surely falls by at most `tolerance`; None where there is none."""
    if len(stages.quality) < LEAST_ROWS:
        return None
    found = [
        _chain(stages, chain, tolerance, seed)
        for chain in (chains_of(len(stages.names)) if chains is None else chains)
    ]
    able = [each for each in found if each is not None and each.saved > 0.0]
    return max(able, key=lambda each: each.saved, default=None)


def tune_for_cost(stages: Stages, usd: float, seed: int = 0) -> Tuned | None:
    """The two-step cascade of the best expected quality at most so dear for a request; None where none is."""
    best: tuple[float, Tuned] | None = None
    reference = float(stages.cost[:, -1].mean())
    for place in range(len(stages.names) - 1):
        for point in curve(stages, place, seed):
            if point.cost <= usd and (best is None or point.quality > best[0]):
                loss = float(stages.quality[:, -1].mean()) - point.quality
                step = Step(place, point.least)
                best = (point.quality, Tuned((step,), 1.0 - point.cost / reference, loss, point.loss_at_most))
    return best[1] if best is not None else None


def curve(stages: Stages, place: int, seed: int = 0) -> list[Point]:
    """What each threshold of this model before the reference brings, from accepting little to accepting all."""
    signal, losses = _losses(stages, place, seed)
    order = np.argsort(-signal, kind="stable")
    total = np.cumsum(losses[:, order], axis=1) / len(order)
    worst = np.quantile(total, SURE, axis=0)
    expected = reference_quality(stages) - total.mean(axis=0)
    spent = np.cumsum(stages.cost[order, -1]) / len(order)
    base = float((stages.cost[:, place] + stages.cost[:, -1]).mean())
    raw = stages.signal[order, place]
    return [
        Point(
            least=float(raw[at]),
            accepted=(at + 1) / len(order),
            cost=base - float(spent[at]),
            quality=float(expected[at]),
            loss_at_most=float(worst[at]),
        )
        for at in _ends(raw)
    ]


def reference_quality(stages: Stages) -> float:
    """What the reference reaches on all rows."""
    return float(stages.quality[:, -1].mean())


def _chain(stages: Stages, chain: tuple[int, ...], tolerance: float, seed: int) -> Tuned | None:
    """Thresholds for the chain's stages, one after the other, each with its part of the tolerance."""
    steps: list[Step] = []
    left = np.arange(len(stages.quality))
    loss = at_most = 0.0
    for number, place in enumerate(chain):
        rows = stages.take(left)
        if len(left) < LEAST_ROWS:
            break
        part = (tolerance - at_most) / (len(chain) - number) * len(stages.quality) / len(left)
        points = [point for point in curve(rows, place, seed) if point.loss_at_most <= part]
        if not points:
            continue
        chosen = points[-1]
        scale = len(left) / len(stages.quality)
        loss += (float(rows.quality[:, -1].mean()) - chosen.quality) * scale
        at_most += max(chosen.loss_at_most, 0.0) * scale
        steps.append(Step(place, chosen.least))
        left = left[stages.signal[left, place] < chosen.least]
    if not steps:
        return None
    return Tuned(tuple(steps), saved_by(stages, steps), loss, at_most)


def _losses(stages: Stages, place: int, seed: int) -> tuple[Floats, Floats]:
    """The signal stretched, and draws of what accepting each row loses against the reference, (draws, rows)."""
    signal = stretched(stages.signal[:, place])
    rng = np.random.default_rng(seed)
    own = fit(signal[:, None], stages.quality[:, place]).draws(signal[:, None], DRAWS, rng)
    best = fit(signal[:, None], stages.quality[:, -1]).draws(signal[:, None], DRAWS, rng)
    return signal, best - own


def stretched(signal: Floats) -> Floats:
    """Log probabilities stretched near zero, where most lie; shares and scores stay as they are."""
    return np.array([surprise(each) for each in signal.tolist()]) if (signal <= 0.0).all() else signal


def _ends(ordered: Floats) -> list[int]:
    """The last index of each run of equal signals: a threshold cannot part them."""
    return [int(at) for at in np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])]


def run(stages: Stages, steps: Sequence[Step]) -> tuple[Floats, Floats]:
    """Quality and cost of each row under a cascade, every attempt charged."""
    undecided = np.ones(len(stages.quality), bool)
    quality, cost = stages.quality[:, -1].copy(), np.zeros(len(stages.quality))
    for step in steps:
        cost[undecided] += stages.cost[undecided, step.place]
        accepted = undecided & (stages.signal[:, step.place] >= step.least)
        quality[accepted] = stages.quality[accepted, step.place]
        undecided &= ~accepted
    cost[undecided] += stages.cost[undecided, -1]
    return quality, cost


def saved_by(stages: Stages, steps: Sequence[Step]) -> float:
    """The share of the reference's cost that a cascade saves on these rows."""
    return 1.0 - float(run(stages, steps)[1].sum()) / float(stages.cost[:, -1].sum())
