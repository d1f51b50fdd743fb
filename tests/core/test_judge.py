"""What is read as a verdict, and that what is graded cannot leave its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.judge import JudgeRule, judge_request, read_grade
from penstock.core.verdict import Answer


@pytest.mark.parametrize(
    "text", ['{"grade": 0.25}', ' {"why": "off by one", "grade": 0.25}\n', '```json\n{"grade": 0.25}\n```']
)
def test_a_verdict_is_one_json_object(text: str) -> None:
    """Alone or in one fenced block, with other members or without."""
    assert read_grade(text) == 0.25


NO_VERDICTS = [
    "",
    "0.9",
    "[0.9]",
    '{"grade": "0.9"}',
    '{"grade": true}',
    '{"grade": NaN}',
    '{"grade": -0.1}',
    '{"grade": 1.01}',
    '{"grade": null}',
    '{"score": 0.9}',
    'Grade: {"grade": 0.9}',
    '{"grade": 0.1} {"grade": 0.9}',
    "[" * 10_000,
    '{"grade": 0.9}' + " " * 20_000,
]


@pytest.mark.parametrize("text", NO_VERDICTS)
def test_nothing_else_is(text: str) -> None:
    """A judge that says more than its verdict has given none."""
    assert read_grade(text) is None


@given(st.text(), st.text(), st.lists(st.text(), max_size=2))
def test_what_is_graded_stays_in_its_place(question: str, answer: str, calls: list[str]) -> None:
    """Whatever question and answer say, they are texts of the material, and no instructions."""
    rule = JudgeRule("grading", 0.5, "Grade.")
    body = json.loads(judge_request(rule, [("user", question)], Answer(answer, calls=tuple(calls))))
    system, user = body["messages"]
    assert system["content"].startswith("Grade.\n")
    material = json.loads(user["content"])
    told = material.get("tool_calls", [])
    assert [material["conversation"], material["answer"], told] == [
        [{"role": "user", "text": question}],
        answer,
        calls,
    ]
