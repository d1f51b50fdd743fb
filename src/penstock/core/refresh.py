"""When a credential that expires is fetched anew; pure, `draw` is uniform in [0, 1)."""

from __future__ import annotations

LASTING_S = 300.0
LEAST_S = 0.5
MOST_S = 3600.0
_FIRST_RETRY_S = 1.0
_LAST_RETRY_S = 30.0


def refresh_in_s(left_s: float | None, draw: float) -> float:
    """How long to keep a credential that is good for `left_s` more seconds, None for ever.

    A part of what is left, so that a source that gives out the same credential until shortly before its end
    is asked more and more often. One without an end may still be changed at its source.
    """
    if left_s is None:
        return LASTING_S * (0.8 + 0.2 * draw)
    return min(MOST_S, max(LEAST_S, left_s * (0.4 + 0.2 * draw)))


def retry_in_s(failures: int, draw: float) -> float:
    """How long to wait after so many failures in a row."""
    longest = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(failures - 1, 10))
    return longest * (0.5 + 0.5 * draw)
