"""The quality program on a small part of the data: it runs, and what it promises holds there, too."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from bench.guard_quality.attacks import g2
from bench.guard_quality.grammar import FOLDER, Grammar
from bench.guard_quality.measured import Share, wilson
from bench.guard_quality.personal import g3

DATA = Path(os.environ.get("PENSTOCK_DATA", "../shared")) / "guards"
# CI has the data always: there it fails without them.
needs_data = pytest.mark.skipif(
    not DATA.exists() and os.environ.get("CI") != "true",
    reason="no ../shared/guards; PENSTOCK_DATA says where it is",
)


@needs_data
def test_personal_data_meets_its_targets() -> None:
    """Every type with a target keeps it on the open rows."""
    assert [each.id for each in g3(DATA) if not each.met] == []


@needs_data
def test_instructions_in_mail_meet_their_targets() -> None:
    """BIPIA's test part, which was not learnt from."""
    assert [each.id for each in g2(DATA, 0) if not each.met] == []


def test_nothing_measured_is_nothing_met() -> None:
    """An empty data set does not pass; intervals hold the share and stay within 0 and 1."""
    assert not Share("x", "nothing", 0, 0, least=0.5).met
    for hits, count in ((0, 10), (5, 10), (10, 10)):
        low, high = wilson(hits, count)
        assert -1e-9 <= low <= hits / count + 1e-9
        assert hits / count - 1e-9 <= high <= 1 + 1e-9


@pytest.mark.parametrize("name", ["attacks", "benign", "indirect", "contexts"])
def test_grammars_expand_fully(name: str) -> None:
    """The same seed gives the same texts, and no list's name is left in one."""
    grammar = Grammar(FOLDER / f"{name}.txt")
    drawn = list(grammar.draw(Random(3), 3))
    assert drawn == list(grammar.draw(Random(3), 3))
    left = [text for _, text in drawn for listed in grammar.lists if f"{{${listed}}}" in text]
    assert left == []
