"""`threshold: auto`: serve as much as a stated share of wrong hits allows.

What is known comes from two places. Where a question lay near and nothing was served, the route answered, and
its answer is compared with the kept one: that costs nothing. And a sample of hits is answered anew. Each
comparison says: neighbours like these, right or wrong. A logistic regression over the neighbours makes a
chance of that, and the gate serves from the chance on at which, among all comparisons, wrong ones weigh less
than the bound. Comparisons of hits weigh by how rarely they are drawn, so that they stand for all that was
served.

Old comparisons fade away. A cumulative sum of what is seen more than foreseen closes the gate when the traffic
changes; while it is closed every request is a comparison, so that it opens again soon.

What is promised: if samples stand for hits and the traffic stays, the share of wrong hits stays under the
bound in the long run. It is no promise for one hit, nor for a question unlike any seen before; and a change
that shows in hits alone, and in no miss, is seen only by the sample. Kin of this: vCache (arXiv 2502.03771)
keeps a bound for each entry by its own comparisons; here entries share what is known, for most are asked for
a few times only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from penstock.inference.logistic import Logistic, fit, sigmoid

Floats = NDArray[np.float64]
NEAREST = 8
# Comparisons before anything is served, between two fits, and at most kept.
FIRST = 200
EVERY = 100
MOST = 6_000
# Of hits at most one in twenty is answered anew; some less, so that chance does not draw more.
SAMPLE = 0.045
# The share of the bound that is aimed at, and up to how many times the bound the regression is checked.
AIM = 0.65
ZONE = 2.0
# Standard errors by which a chance is taken for less than it looks, ever, and for so many comparisons after a
# change.
ERRORS, ERRORS_AFTER, SETTLED = 1.0, 2.25, 2_000
LEAST_WEIGHT = 60.0
# The cumulative sum: what is forgiven for each comparison, and where the gate closes, in standard deviations.
SLACK = 0.25
ALARM = 14.0
# One comparison counts no more than this: a single wrong hit is no change.
MOST_SURPRISE = 3.0
# After an alarm only what was compared last stands.
KEPT_AT_ALARM = 40


@dataclass(frozen=True, slots=True)
class Decision:
    """`serve` what is kept; `verify`: answer anew and compare. `chance` that the kept answer is right."""

    serve: bool
    verify: bool
    chance: float


def neighbourhood(similarities: Sequence[float], same: Sequence[bool]) -> tuple[float, ...]:
    """What is seen around a question.

    `similarities` of kept ones, nearest first, and of each whether its
    answer is the same as the nearest one's (True for the nearest).
    """
    first = similarities[0]
    other = max((s for s, alike in zip(similarities, same, strict=True) if not alike), default=0.0)
    second = max((s for s, alike in zip(similarities[1:], same[1:], strict=True) if alike), default=0.0)
    weights = [float(np.exp((s - first) * 20.0)) for s in similarities]
    agree = sum(w for w, alike in zip(weights, same, strict=True) if alike) / sum(weights)
    gap = first - other
    return (
        first,
        first * first,
        gap,
        max(gap, 0.0) * first,
        agree,
        sum(same) / len(same),
        float(second > 0),
        second,
    )


@dataclass(slots=True)
class Gate:
    """One namespace's. `draw` gives numbers from 0 to 1."""

    bound: float
    rng: np.random.Generator
    hits: int = 0
    verified: int = 0
    alarms: int = 0
    _rows: deque[tuple[tuple[float, ...], bool, float]] = field(
        init=False, default_factory=lambda: deque(maxlen=MOST)
    )
    _model: Logistic | None = field(init=False, default=None)
    _covariance: Floats = field(init=False, default_factory=lambda: np.zeros((0, 0)))
    _cut: float = field(init=False, default=2.0)
    _new: int = field(init=False, default=0)
    _sum: float = field(init=False, default=0.0)

    @property
    def open(self) -> bool:
        """Whether anything may be served just now."""
        return self._cut <= 1.0

    @property
    def cut(self) -> float:
        """The chance from which on hits are served; above 1 none is."""
        return self._cut

    def decide(self, row: tuple[float, ...]) -> Decision:
        """Of a question whose nearest one is worth a comparison."""
        chance = self._chance(row)
        if chance < self._cut:
            return Decision(serve=False, verify=True, chance=chance)
        self.hits += 1
        verify = self.rng.random() < SAMPLE and self.verified < 0.05 * self.hits
        self.verified += verify
        return Decision(serve=True, verify=bool(verify), chance=chance)

    def told(self, row: tuple[float, ...], *, right: bool, served: bool) -> None:
        """A comparison: of a miss, or of a hit that was drawn."""
        self._rows.append((row, right, 1.0 / SAMPLE if served else 1.0))
        self._new += 1
        if self._model is not None and self._watch(row, right=right):
            self.alarms += 1
            self._sum, self._cut, self._model = 0.0, 2.0, None
            for _ in range(max(len(self._rows) - KEPT_AT_ALARM, 0)):
                self._rows.popleft()
            self._new = 0
        elif self._new >= (EVERY if self._model is not None else FIRST):
            self._learn()

    def _chance(self, row: tuple[float, ...]) -> float:
        return float(self._lower(self._model, np.array([row]))[0]) if self._model is not None else 0.0

    def _lower(self, model: Logistic, rows: Floats) -> Floats:
        """The least chance that the comparisons still allow, some standard errors below the likeliest."""
        fresh = self.alarms > 0 and len(self._rows) < SETTLED
        errors = ERRORS_AFTER if fresh else ERRORS
        design = model.design(rows)
        spread = np.sqrt(np.einsum("ij,jk,ik->i", design, self._covariance, design))
        return sigmoid(design @ model.weights - errors * spread)

    def _watch(self, row: tuple[float, ...], *, right: bool) -> bool:
        """Whether more goes wrong than was foreseen, for too long."""
        foreseen = 1.0 - float(self._model(np.array([row]))[0]) if self._model is not None else 1.0
        spread = max(foreseen * (1.0 - foreseen), 0.01) ** 0.5
        surprise = min(((not right) - foreseen) / spread, MOST_SURPRISE)
        self._sum = max(0.0, self._sum + surprise - SLACK)
        return self._sum > ALARM

    def _learn(self) -> None:
        self._new = 0
        x = np.array([row for row, _, _ in self._rows])
        y = np.array([float(right) for _, right, _ in self._rows])
        weight = np.array([w for _, _, w in self._rows])
        if y.min() == y.max():
            return
        self._model = fit(x, y, penalty=1.0, weights=weight)
        design = self._model.design(x)
        likely = sigmoid(design @ self._model.weights)
        # Weights say how many hits a comparison stands for, not how much is known: the sandwich estimator.
        bread = self._model.covariance
        meat = (design * (weight**2 * likely * (1.0 - likely))[:, None]).T @ design
        self._covariance = bread @ meat @ bread
        chance = self._lower(self._model, x)
        order = np.argsort(-chance, kind="stable")
        total = np.cumsum(weight[order])
        foreseen = np.cumsum((weight * (1.0 - chance))[order])
        seen = np.cumsum((weight * (1.0 - y))[order])
        # Where wrong ones were seen oftener than the regression foresees, it is believed that much less.
        zone = int(np.searchsorted(foreseen / total > ZONE * self.bound, True))  # noqa: FBT003 - the first such place
        last = max(zone, 1) - 1
        doubt = max(1.0, float((seen[last] + 1.0 / SAMPLE) / (foreseen[last] + 1.0 / SAMPLE)))
        good = (foreseen / total * doubt <= self.bound * AIM) & (total >= LEAST_WEIGHT)
        self._cut = float(chance[order][np.flatnonzero(good)[-1]]) if good.any() else 2.0
