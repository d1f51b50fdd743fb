"""The loss table says what happens: neither more is lost than it says, nor less."""

from __future__ import annotations

import pytest

from scripts.generate_translation_doc import DOCS_FILE, document
from tests.translation.matrix.classify import reply_outcome, request_outcome
from tests.translation.matrix.reply_probes import PROBES as REPLIES
from tests.translation.matrix.request_probes import PROBES as REQUESTS
from tests.translation.matrix.sides import DIALECTS, TARGETS
from tests.translation.matrix.table import WORDS, cells_of, table


@pytest.mark.parametrize("shape", TARGETS)
def test_a_requests_features_end_as_the_table_says(shape: str) -> None:
    """Measured for a model of which nothing more is known."""
    assert {each.feature: request_outcome(each, shape) for each in REQUESTS} == cells_of("requests", shape)


@pytest.mark.parametrize("shape", DIALECTS)
def test_a_replys_features_end_as_the_table_says(shape: str) -> None:
    """Measured whole and streamed."""
    assert {each.feature: reply_outcome(each, shape) for each in REPLIES} == cells_of("replies", shape)


def test_the_tables_words_are_those_that_the_page_explains() -> None:
    """Each cell begins with one of them."""
    cells = [cell for kind in ("requests", "replies") for row in table(kind).values() for cell in row.values()]
    assert {cell.partition(":")[0].partition(" ")[0] for cell in cells} <= set(WORDS)


def test_the_page_is_made_from_the_table() -> None:
    """Run scripts/generate_translation_doc.py after a change of the table."""
    assert DOCS_FILE.read_text("utf-8") == document()
