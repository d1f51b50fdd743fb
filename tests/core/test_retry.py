"""Backoff and the share of retries, in virtual time."""

from __future__ import annotations

import pytest

from penstock.core.retry import RetryRule, backoff_s
from penstock.core.retry_share import RetryShare

RULE = RetryRule(attempts=5, backoff_s=0.25, max_backoff_s=8, max_retry_share=0.2)


@pytest.mark.parametrize(
    ("tries", "draw", "expected"), [(1, 0.0, 0.0), (1, 1.0, 0.25), (2, 1.0, 0.5), (3, 0.5, 0.5), (9, 1.0, 8.0)]
)
def test_full_jitter(tries: int, draw: float, expected: float) -> None:
    """The wait is uniform between nothing and a bound that doubles up to its maximum."""
    assert backoff_s(RULE, tries, None, draw) == expected


def test_retry_after_is_a_floor_and_a_reason_to_give_up() -> None:
    """An upstream's wish is granted in full up to the longest backoff; beyond it another target is better."""
    assert backoff_s(RULE, 1, 1.0, 0.0) == 1.0
    assert backoff_s(RULE, 1, 8.0, 1.0) == 8.0
    assert backoff_s(RULE, 1, 8.1, 0.0) is None


def test_a_quiet_route_has_three_retries() -> None:
    """Without traffic three retries are allowed in ten seconds, and again when those have passed."""
    share = RetryShare()
    share.first(100.0)
    assert [share.allow(100.0 + n, 0.2) for n in range(4)] == [True, True, True, False]
    assert share.allow(111.0, 0.2)


def test_retries_stay_a_share_of_first_attempts() -> None:
    """Of a hundred first attempts within ten seconds at most twenty are retried."""
    share = RetryShare()
    for n in range(100):
        share.first(50.0 + n / 50)
    assert sum(share.allow(52.5, 0.2) for _ in range(60)) == 20
