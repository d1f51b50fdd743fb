from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.compile.held_back import schema_check
from penstock.compile.targets import CompileError
from penstock.core.verdict import (
    Answer,
    Bounds,
    agreement,
    fault,
    final_answer,
    least_logprob,
    mean_logprob,
    refuses,
    said_confidence,
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It is Paris. Confidence: 85%", 0.85),
        ("confidence is 0.4", 0.4),
        ("Certainty: 8/10", 0.8),
        ("**Confidence:** 92", 0.92),
        ("Confidence: 20%. On second thought, confidence: 60 percent", 0.6),
        ("I am confident.", None),
        ("Confidence: 850%", None),
    ],
)
def test_a_stated_confidence_is_read_in_the_ways_models_state_it(text: str, said: float | None) -> None:
    """Percent, tenths and shares; the last statement counts, and nonsense is no statement."""
    assert said_confidence(text) == said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The sum is #### 1,200", "So we get 1200.00 #### 1200.0"),
        ("The answer is 42.", "42"),
        (" Paris. ", "paris"),
        (r"hence \boxed{7}", "answer: 7"),
    ],
)
def test_answers_that_mean_the_same_come_down_to_the_same(one: str, other: str) -> None:
    """Only what an answer calls its result is compared."""
    assert final_answer(one) == final_answer(other)


def test_dates_are_compared_whole() -> None:
    """A date holds several numbers and is none."""
    assert final_answer("04/29/2021") != final_answer("05/29/2021")


def test_agreement_is_the_share_of_the_most_frequent_answer() -> None:
    """Empty answers agree with nothing, and the first of those that agree is named."""
    assert agreement(["7", "8", "The answer is 8"]) == (2 / 3, 1)
    assert agreement(["", " "]) == (0.0, 0)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_agreement_never_depends_on_more_than_there_is(answers: list[str]) -> None:
    """Whatever the texts are, the share lies in 0..1 and the index names one of them."""
    share, first = agreement(answers)
    assert 0.0 <= share <= 1.0
    assert 0 <= first < len(answers)


def test_a_missing_signal_never_passes() -> None:
    """No log probabilities, no stated confidence: the answer goes further."""
    assert fault(Bounds(mean_logprob=-100.0), Answer("x")) == "logprob"
    assert fault(Bounds(confidence=0.0), Answer("x")) == "confidence"


def test_log_probabilities_are_judged_by_mean_and_by_the_least() -> None:
    """One bad token is enough where the least counts; minus infinity is a number."""
    answer = Answer("x", (-0.1, -0.1, float("-inf")))
    assert least_logprob(answer) == -100.0
    assert mean_logprob(answer) == pytest.approx(-100.2 / 3)
    sure = Answer("x", (-0.1, -0.3))
    assert fault(Bounds(mean_logprob=-0.25, least_logprob=-0.5), sure) == ""
    assert fault(Bounds(mean_logprob=-0.15), sure) == "logprob"
    assert fault(Bounds(least_logprob=-0.2), sure) == "logprob"


def test_an_answer_that_was_cut_off_does_not_pass() -> None:
    """The bound on its output was reached, so that half of it is missing."""
    assert fault(Bounds(), Answer("half an", finish="length")) == "cut_off"


def test_refusals_are_told_from_answers() -> None:
    """An answer that begins like one is a refusal; one that mentions it is not."""
    assert refuses("I'm sorry, but I can't help with that.")
    assert refuses("As an AI language model, I cannot do it")
    assert not refuses("The clerk said: I'm sorry, but we are closed.")
    assert fault(Bounds(refusal_passes=False), Answer("I cannot assist with this")) == "refusal"


def test_length_is_counted_without_space_around() -> None:
    """Characters between the first and the last that are no space."""
    assert fault(Bounds(fewest_chars=3), Answer("  ab  ")) == "length"
    assert fault(Bounds(most_chars=2), Answer(" ab ")) == ""


def test_a_schema_judges_json_alone_or_in_one_fence() -> None:
    """Text that is no JSON does not pass, whatever it says."""
    bounds = Bounds(schema=schema_check({"type": "object", "required": ["a"]}))
    assert fault(bounds, Answer('```json\n{"a": 1}\n```')) == ""
    assert fault(bounds, Answer('{"b": 1}')) == "schema"
    assert fault(bounds, Answer('Here it is: {"a": 1}')) == "schema"


def test_a_schema_that_refers_elsewhere_is_refused() -> None:
    """Nothing is fetched because a configuration names it."""
    with pytest.raises(CompileError, match="not fetched"):
        schema_check({"$ref": "https://example.org/schema.json"})
    with pytest.raises(CompileError, match="no JSON schema"):
        schema_check({"type": "nonsense"})
