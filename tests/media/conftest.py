"""Doors to scripted vendors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.media.world import Doors


@pytest.fixture
def doors() -> Iterator[Doors]:
    """Doors that are closed after the test."""
    made = Doors()
    yield made
    made.close()
