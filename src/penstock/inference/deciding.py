"""From a model's judgement to a decision: which of the models a prompt goes to, or the default, and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.inference.costs import CostModel
from penstock.inference.router_model import Item, RouterModel

Floats = NDArray[np.float64]
# Of so many requests of late, more than half strange: the traffic is not what the model was trained for.
WINDOW = 100
# The first requests are only looked at: a model must know its traffic before it decides.
LEAST_SEEN = 20
DEFAULT = -1


class RuleError(ValueError):
    """The rule does not fit the model; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When the stronger of two models is chosen: exactly one of these is set.

    `strong_share`: for so many of the requests. `recover`: so often that this share of the gap in quality is
    closed. `threshold`: where it is expected to do better by so much. `worth_usd`: what a good answer is worth;
    the model with the most of worth times quality, less its cost, is chosen (also among more than two).
    """

    strong_share: float | None = None
    recover: float | None = None
    threshold: float | None = None
    worth_usd: float | None = None

    def least_gain(self, model: RouterModel) -> float | None:
        """The expected gain from which on the stronger one is chosen; None where money decides."""
        levels = model.about.levels
        if self.worth_usd is not None:
            return None
        if self.threshold is not None:
            return self.threshold
        if not levels:
            raise RuleError("this rule is for models trained on two targets; use worth_usd")
        if self.strong_share is not None:
            place = self.strong_share * (len(levels) - 1)
            return float(np.interp(place, np.arange(len(levels)), [gain for gain, _ in levels]))
        wanted = self.recover if self.recover is not None else 0.8
        return next((gain for gain, recovered in levels if recovered >= wanted), levels[-1][0])


class Decider:
    """One model under one rule. It remembers how strange requests were of late."""

    def __init__(self, model: RouterModel, rule: Rule, costs: CostModel | None = None) -> None:
        """Raises RuleError."""
        self.model = model
        self._rule = rule
        self._costs = costs
        self._least = rule.least_gain(model)
        if self._least is None and costs is None:
            raise RuleError("worth_usd needs rows with costs; train the model on some")
        if self._least is not None and len(model.about.models) != 2:
            raise RuleError("with more than two models, say worth_usd")
        self._strange: deque[bool] = deque(maxlen=WINDOW)
        self._constant = DEFAULT
        if costs is not None and rule.worth_usd is not None:
            typical = np.asarray(model.mean) * rule.worth_usd - costs.base - costs.per_char * costs.mean_chars
            self._constant = int(np.argmax(typical))

    @property
    def astray(self) -> bool:
        """Whether most requests of late were of another kind than the training's, or too few were seen."""
        seen = self._strange
        return len(seen) <= LEAST_SEEN or 2 * sum(seen) > len(seen)

    def decide(self, prompt: str, embedding: NDArray[np.float32] | None) -> int:
        """The index of the model, or DEFAULT where there is no reason to choose.

        Where prompts tell nothing, money still tells which one model is best for all: a rule about money
        names it.
        """
        if not self.model.about.signal:
            return self._constant
        judged = self.model.judge(Item(prompt), embedding)
        return self.choose(prompt, judged.quality, known=judged.known)

    def choose(self, prompt: str, quality: Floats | Sequence[float], *, known: bool) -> int:
        """The same, where the model has judged already."""
        if not self.model.about.signal:
            return self._constant
        self._strange.append(not known)
        if not known or self.astray:
            return self._constant
        if self._least is not None:
            return int(quality[1] - quality[0] >= self._least)
        costs, worth = self._costs, self._rule.worth_usd
        if costs is None or worth is None:
            return DEFAULT
        return int(np.argmax(np.asarray(quality) * worth - costs.of(prompt)))
