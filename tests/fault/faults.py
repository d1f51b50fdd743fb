"""Counts operations and strikes at the n-th; goes through all n until a run meets no fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Faults:
    """Counts operations; at number `at` calls `strike` instead of, or before, the operation."""

    at: int = 0
    strike: Callable[[], bool] = lambda: False
    count: int = 0
    over: bool = False

    def hit(self) -> bool:
        """Count one operation; True where it must fail. Once it is `over` nothing counts."""
        if self.over:
            return False
        self.count += 1
        return self.count == self.at and self.strike()


def yes() -> bool:
    """A strike that does nothing by itself: the operation fails."""
    return True


def until_clean(run: Callable[[int], Faults], most: int) -> int:
    """Call `run` with n = 1, 2, 3 … until one run has fewer operations than n; returns how many were struck."""
    for number in range(1, most):
        if run(number).count < number:
            return number - 1
    raise AssertionError(f"more than {most} operations")
