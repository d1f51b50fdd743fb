"""E1: a floor of quality under live scores, on a stream of which a tenth of the outcomes is ever seen.

A route of two targets, `cheapest` with a floor, as it is configured and compiled. What is seen of the answers
goes into sums by minute, as the worker keeps them, and comes back as the estimates that it publishes. A request
comes every second; the floor is the strong model's accuracy on 2,000 other rows, less two points.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.routing_quality import sources
from bench.routing_quality.report import Measured
from bench.routing_quality.routers import Floats, Setting
from penstock.compile.dry import dry_plan
from penstock.config.load import load_text
from penstock.core.choosing import CheapestNode
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.plan import VirtualKey
from penstock.core.policy import TargetNode
from penstock.core.retry import RetryRule
from penstock.core.retry_share import RetryShare
from penstock.core.scores import SLOT_MS, Estimate, Score, Series, Sum, estimates
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.inference.rows import Rows
from penstock.routing.floors import Floors
from penstock.routing.policies.cheapest import order
from penstock.routing.standings import Standings
from penstock.routing.view import RequestView
from penstock.routing.walk import Walk

CONFIG = """
version: 1
providers: {{sim: {{kind: simulator}}}}
deployments:
  weak: {{provider: sim, model: weak, price: {{input: 0.24, output: 0.24}}}}
  strong: {{provider: sim, model: strong, price: {{input: 10, output: 30}}}}
routes:
  r:
    policy: {{cheapest: {{of: [weak, strong], floor: {{score: correct, min: {floor:.4f}}}}}}}
    evals: {{feedback: [correct], half_life: 30m}}
"""
# Dollars per million tokens of input, by which an answer of one letter is charged.
PRICE = {"weak": 0.24, "strong": 10.0}
REQUESTS, FIRST, DROP_AT, RECOVERED, WINDOW = 4_000, 1_000, 2_000, 300, 500
SEEN, TOLERANCE, SLACK, LOST = 0.1, 0.02, 0.01, 0.2
LIFE_S = 1_800.0
EPOCH_MS = 1_790_000_000_000


class Published:
    """Implements ports.scores.Scores by what a worker would have published last."""

    def __init__(self) -> None:
        self.now_ms = EPOCH_MS
        self._sums: dict[tuple[int, str], list[float]] = {}
        self._known: dict[Series, Estimate] = {}

    def judge(self, target: str, value: float) -> None:
        """One outcome that is seen."""
        each = self._sums.setdefault((self.now_ms // SLOT_MS, target), [0, 0.0])
        each[0] += 1
        each[1] += value
        sums: list[Sum] = [
            (slot, "r", t, "", "correct", int(n), total) for (slot, t), (n, total) in self._sums.items()
        ]
        found = estimates(sums, self.now_ms, lambda _route: LIFE_S, 100)
        self._known = {(one.route, one.target, one.cohort, one.name): one for one in found}

    def of(self, route: str, target: str, name: str, cohort: str = "") -> Score | None:
        """See Scores."""
        found = self._known.get((route, target, cohort, name))
        return found.score(0.0) if found is not None else None


@dataclass(frozen=True)
class Run:
    """One stream: what each answer was worth less the strong model's, and what it cost."""

    differences: Floats
    costs: Floats
    strong_costs: Floats

    @property
    def cut(self) -> float:
        """The share of the strong model's cost that was saved after the first thousand."""
        return 1 - float(self.costs[FIRST:].sum() / self.strong_costs[FIRST:].sum())

    @property
    def worst(self) -> float:
        """The least cumulative difference from then on."""
        sums = np.cumsum(self.differences) / np.arange(1, len(self.differences) + 1)
        return float(sums[FIRST:].min())


def stream(rows: Rows, seed: int, *, drops: bool) -> Run:
    """Lead one stream; with `drops` the weak model loses twenty points half-way."""
    source = random.Random(seed)
    places = list(range(len(rows.prompts)))
    source.shuffle(places)
    calibration, places = places[:2_000], places[2_000 : 2_000 + REQUESTS]
    floor = float(rows.quality[calibration, 1].mean()) - TOLERANCE
    plan = dry_plan(load_text(CONFIG.format(floor=floor), {}), 0)
    node = plan.routes["r"].policy
    assert isinstance(node, CheapestNode)
    scores = Published()
    floors, standings = Floors(scores), Standings()
    key = VirtualKey("k", b"", Subject("acme", "", "", "k"))
    differences: list[float] = []
    costs: list[float] = []
    strong_costs: list[float] = []
    for at, place in enumerate(places):
        scores.now_ms = EPOCH_MS + at * 1_000
        body = {"model": "r", "max_tokens": 1, "messages": [{"role": "user", "content": rows.prompts[place]}]}
        request = decode(ENDPOINTS["/v1/chat/completions"], json.dumps(body).encode(), b"application/json")
        facts = RequestFacts(f"q{at}", scores.now_ms, "openai", "chat", "r", "r")
        view = RequestView(request, facts, key.subject, key, policy=node, floors=floors)
        walk = Walk(RetryRule(), RetryShare(), view, standings)
        first = order(node, walk, float(at), source.random())[0][0]
        assert isinstance(first, TargetNode)
        weak, strong = (float(each) for each in rows.quality[place])
        if drops and at >= DROP_AT and weak and source.random() < LOST / float(rows.quality[:, 0].mean()):
            weak = 0.0
        value = weak if first.target.id == "weak" else strong
        if source.random() < SEEN:
            scores.judge(first.target.id, value)
        differences.append(value - strong)
        costs.append(len(rows.prompts[place]) * PRICE[first.target.id])
        strong_costs.append(len(rows.prompts[place]) * PRICE["strong"])
    return Run(np.array(differences), np.array(costs), np.array(strong_costs))


def e1(setting: Setting) -> list[Measured]:
    """The cut, the promise and the recovery."""
    rows = sources.mmlu(setting.data)
    if len(rows.prompts) < 2_000 + REQUESTS:
        return [Measured("E1", "too few rows for a stream", (0.0,), ">= .30", met=False, n=len(rows.prompts))]
    calm = [stream(rows, seed, drops=False) for seed in range(setting.seeds)]
    lossy = [stream(rows, seed, drops=True) for seed in range(setting.seeds)]
    bound = -TOLERANCE - SLACK
    cuts = tuple(run.cut for run in calm)
    kept = sum(run.worst >= bound for run in calm)
    after = DROP_AT + RECOVERED
    recovered = sum(float(run.differences[after : after + WINDOW].mean()) >= bound for run in lossy)
    most = 0.8 * setting.seeds
    detail = {
        "worst_cumulative": [round(run.worst, 4) for run in calm],
        "windows": [
            [round(float(part.mean()), 4) for part in np.split(run.differences, REQUESTS // WINDOW)]
            for run in calm
        ],
        "kept_seeds": kept,
        "recovered_seeds": recovered,
    }
    n, wanted = REQUESTS * setting.seeds, f">= {most:g}"
    # What is saved by breaking the promise is not saved.
    saved = bool(np.mean(cuts) >= 0.3) and kept >= most
    found = [Measured("E1", "cost cut after 1,000 requests", cuts, ">= .30", met=saved, n=n, detail=detail)]
    for name, what, seeds in (
        ("E1-floor", "seeds that keep the floor", kept),
        ("E1-recovery", "seeds that recover within 300 requests", recovered),
    ):
        found.append(Measured(name, what, (float(seeds),), wanted, met=seeds >= most, n=n))
    return found


PARTS: dict[str, Callable[[Setting], list[Measured]]] = {"E1": e1}
