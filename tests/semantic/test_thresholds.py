"""`threshold: auto` keeps the share of wrong hits under its bound, and closes when traffic changes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.inference.thresholds import Gate, neighbourhood

REQUESTS = 10_000
WINDOW = 200


def stream(gate: Gate, seed: int, *, worse: float) -> tuple[list[float], list[float]]:
    """Chances of a wrong answer of what was served, before and after half of the requests.

    The nearer the nearest question, the rarer a wrong answer; in the second half all are `worse` times as
    often.
    """
    rng = np.random.default_rng(seed)
    before, after = list[float](), list[float]()
    for number in range(REQUESTS):
        similar = sorted((0.55 + 0.45 * rng.random(), 0.5 + 0.3 * rng.random()), reverse=True)
        wrong = 0.35 * math.exp(-(similar[0] - 0.6) * 14)
        if number >= REQUESTS // 2:
            wrong *= worse
        row = neighbourhood(similar, [True, False])
        decided = gate.decide(row)
        if decided.serve:
            (before if number < REQUESTS // 2 else after).append(min(wrong, 1.0))
        if decided.verify:
            gate.told(row, right=bool(rng.random() >= wrong), served=decided.serve)
    return before, after


@pytest.mark.parametrize("bound", [0.01, 0.05])
def test_wrong_hits_stay_under_the_bound(bound: float) -> None:
    """Over several streams no more than the stated share of hits is wrong, and something is served."""
    for seed in range(2):
        gate = Gate(bound, np.random.default_rng(seed))
        before, after = stream(gate, seed, worse=1.0)
        served = before + after
        assert len(served) > 500
        assert sum(served) / len(served) <= bound
        assert gate.verified <= 0.05 * gate.hits


@pytest.mark.parametrize("bound", [0.01, 0.05])
def test_a_stream_that_turns_three_times_as_wrong_leaves_the_bound_for_at_most_200_hits(bound: float) -> None:
    """After the change, so many hits at most end a stretch of hits whose wrong share is above the bound."""
    for seed in range(2):
        gate = Gate(bound, np.random.default_rng(seed))
        _, after = stream(gate, seed, worse=3.0)
        means = np.convolve(after, np.ones(WINDOW) / WINDOW, "valid")
        assert gate.alarms >= 1
        assert int((means > bound).sum()) <= 200


def test_nothing_is_served_before_enough_is_known() -> None:
    """A new namespace compares first."""
    gate = Gate(0.05, np.random.default_rng(0))
    row = neighbourhood([0.99, 0.5], [True, False])
    assert not gate.decide(row).serve
    assert gate.decide(row).verify
    assert not gate.open


def test_neighbours_that_agree_speak_for_an_answer() -> None:
    """What the nearest questions' answers have in common is part of what is weighed."""
    agreeing = neighbourhood([0.9, 0.88, 0.5], [True, True, False])
    torn = neighbourhood([0.9, 0.88, 0.5], [True, False, False])
    assert agreeing[2] > torn[2]
    assert agreeing[4] > torn[4]
