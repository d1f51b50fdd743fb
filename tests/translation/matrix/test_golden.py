"""Each pair's snapshot is what the translators make; `tests/translation/matrix/update.py` writes them."""

from __future__ import annotations

import pytest

from tests.translation.matrix.golden import file_of, snapshot
from tests.translation.matrix.sides import DIALECTS, TARGETS


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("target", TARGETS)
def test_a_pairs_snapshot_is_what_the_translators_make(target: str, dialect: str) -> None:
    """Requests, replies and streams, compared exactly."""
    assert snapshot(target, dialect) == file_of(target, dialect).read_text("utf-8")
