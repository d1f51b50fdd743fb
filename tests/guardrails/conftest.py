"""One simulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.testing.simulator import SimulatorThread


@pytest.fixture
def simulator() -> Iterator[SimulatorThread]:
    """A simulator on a free port."""
    with SimulatorThread() as running:
        yield running
