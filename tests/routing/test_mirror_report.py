"""Pairs of answers and their copies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.mirror_report import normal_form, reports


def row(number: int, purpose: str = "", **more: Any) -> dict[str, Any]:
    """One exchange of the ledger."""
    found = {
        "request_id": f"{purpose or 'q'}{number}",
        "parent": f"q{number}" if purpose else "",
        "purpose": purpose,
        "route": "pay",
        "target": "candidate" if purpose else "main",
        "success": True,
        "outcome": "ok",
        "code": "",
        "cost_nanousd": 2_000 if purpose else 1_000,
        "total_ms": 300.0 if purpose else 100.0,
        "notes": {"same_text": "no", "same_normal": "yes", "same_finish": "yes"} if purpose else {},
    }
    return {**found, **more}


def test_pairs_are_compared_and_what_has_no_pair_is_counted() -> None:
    """Twice the cost, three times as long, and the same but for form; other routes are not looked at."""
    rows = [row(at) for at in range(40)] + [row(at, "mirror") for at in range(41)]
    rows += [row(at, "mirror", route="other") for at in range(9)]
    (found,) = reports(rows, "pay")
    assert (found.candidate, found.pairs, found.alone) == ("candidate", 40, 1)
    assert (found.cost_ratio.value, found.cost_ratio.lower, found.cost_ratio.upper) == (2.0, 2.0, 2.0)
    assert found.time_ratio.value == pytest.approx(3.0)
    assert (found.original.cost_usd_total, found.copy.cost_usd_total) == ("0.000040000", "0.000080000")
    assert (found.same_text.value, found.same_normal.value) == (0.0, 1.0)
    assert found.same_normal.lower is not None
    assert 0.9 < found.same_normal.lower < 1


def test_failures_of_the_candidate_are_told_and_cost_no_ratio() -> None:
    """A copy that failed says nothing of cost or time; an unpriced one is no free one."""
    rows = [row(at) for at in range(10)]
    rows += [
        row(at, "mirror", success=False, outcome="error", code="upstream_error", cost_nanousd=0, notes={})
        if at < 4
        else row(at, "mirror", cost_nanousd=None if at == 9 else 2_000)
        for at in range(10)
    ]
    (found,) = reports(rows, "pay")
    assert found.copy.success.value == 0.6
    assert found.copy.errors == {"upstream_error": 4}
    assert found.copy.unpriced == 1
    assert (found.success.value, found.cost_ratio.value) == (-0.4, 2.0)
    assert found.success.upper is not None
    assert found.success.upper < 0


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("It is  Graz.", "it is graz", True),
        ('{"a": 1, "b": [2]}', '```json\n{"b":[2],"a":1}\n```', True),
        ("It is Graz.", "It is Linz.", False),
        ('{"a": 1}', '{"a": 2}', False),
        ("3.5", "35", False),
        ("-5", "5", False),
    ],
)
def test_what_differs_in_form_alone_is_the_same(one: str, two: str, same: bool) -> None:
    """Spacing, case, punctuation and the order of JSON members; nothing that is said."""
    assert (normal_form(one) == normal_form(two)) is same


@given(st.text(max_size=60))
def test_the_normal_form_is_its_own(text: str) -> None:
    """Done twice it changes nothing more."""
    once = normal_form(text)
    assert normal_form(once) == once
