"""Scores that age, and verdicts as judges write them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.adapters.files.scores import PublishedScores
from penstock.core.evaluation import MAX_ANSWER, MAX_CONVERSATION, Evaluation, judge_body, verdict_of
from penstock.core.scores import SLOT_MS, Estimate, estimates, packed, unpacked

NOW = 1_790_000_000_000
SLOT = NOW // SLOT_MS
RULE = Evaluation("helpful", 1.0, "good", "whether it is {right}", "key:eval:r", 4, 60.0)


def at(minutes: int, n: int, total: float, cohort: str = "") -> tuple[int, str, str, str, str, int, float]:
    """So many judgements so long ago."""
    return (SLOT - minutes, "r", "a", cohort, "good", n, total)


def one(*sums: tuple[int, str, str, str, str, int, float], life_s: float = 3600.0) -> dict[str, Estimate]:
    """What is known by cohort."""
    return {each.cohort: each for each in estimates(sums, NOW, lambda _: life_s, 100)}


def test_a_judgement_counts_half_after_each_half_life() -> None:
    """An hour-old failure against a fresh success: two thirds."""
    found = one(at(60, 10, 0.0), at(0, 10, 10.0))[""]
    assert found.n == pytest.approx(15, rel=0.02)
    assert found.total / found.n == pytest.approx(2 / 3, rel=0.02)


def test_what_is_published_fades_while_nothing_new_comes() -> None:
    """Its interval widens, its mean stays; in the end nothing is known."""
    estimate = one(at(0, 100, 80.0))[""]
    now, later, last = (estimate.score(hours * 3600.0) for hours in (0, 2, 8))
    assert now is not None
    assert later is not None
    assert later.mean == pytest.approx(now.mean)
    assert later.lower < now.lower
    assert later.upper > now.upper
    assert last is None


def test_a_cohort_has_its_own_score_beside_everybodys() -> None:
    """The sum over cohorts is everybody; one with hardly a judgement is left out."""
    found = one(at(0, 10, 10.0, "search"), at(0, 10, 0.0, "chat"), at(0, 5, 5.0))
    assert found[""].total / found[""].n == pytest.approx(15 / 25)
    assert found["search"].total == found["search"].n
    assert found["chat"].total == 0


def test_where_there_are_too_many_series_the_whole_comes_first() -> None:
    """Cohorts are left out, never everybody."""
    sums = [at(0, 100 + index, 1.0, f"c{index}") for index in range(50)]
    found = estimates(sums, NOW, lambda _: 3600.0, 3)
    assert [each.cohort for each in found] == ["", "c49", "c48"]


def test_a_gateway_reads_what_the_worker_wrote_and_survives_what_it_did_not(tmp_path: Path) -> None:
    """The same file is read once; damage and absence leave what was known, which fades."""
    path = tmp_path / "scores.snapshot"
    clock = [NOW]
    scores = PublishedScores(path, lambda: clock[0])
    assert not scores.look()
    path.write_bytes(packed(NOW, [Estimate("r", "a", "", "good", 100.0, 80.0, 3600.0)]))
    assert scores.look()
    assert not scores.look()
    score = scores.of("r", "a", "good")
    assert score is not None
    assert (score.mean, score.n) == (0.8, 100.0)
    assert scores.of("r", "a", "good", "search") is None
    path.write_bytes(b"damaged")
    assert not scores.look()
    clock[0] += 3_600_000
    later = scores.of("r", "a", "good")
    assert later is not None
    assert later.n == pytest.approx(50)


@given(st.binary(max_size=200))
def test_no_file_is_taken_for_scores_that_is_none(data: bytes) -> None:
    """Whatever stands there, it is read or it is not."""
    assert unpacked(data) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"score": 0.5}', 0.5),
        ('```json\n{"score": 1}\n```', 1.0),
        ('  {"score": 0}', 0.0),
        ('{"score": 1.01}', None),
        ('{"score": -0.1}', None),
        ('{"score": true}', None),
        ("0.5", None),
        ("", None),
        ('Sure! {"score": 0.5}', None),
        ('{"score": NaN}', None),
        ('\udc80{"score": 1}', None),
    ],
)
def test_a_verdict_is_read_strictly(text: str, value: float | None) -> None:
    """The JSON that was asked for, in a fence at most."""
    assert verdict_of(text) == value


def test_what_a_judge_reads_is_bounded() -> None:
    """The end of a long conversation, the beginning of a long answer, and braces in criteria do no harm."""
    body = msgspec.json.decode(judge_body(RULE, "x" * 10**6 + "END", "BEGIN" + "y" * 10**6))
    told = body["messages"][1]["content"]
    assert "END" in told
    assert "BEGIN" in told
    assert len(told) < MAX_CONVERSATION + MAX_ANSWER + 200
    assert "whether it is {right}" in body["messages"][0]["content"]
