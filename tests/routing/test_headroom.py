"""What vendors say of their limits, and that a target is left before it refuses."""

from __future__ import annotations

import pytest

from penstock.core.headroom import Headroom, reset_s
from penstock.testing.clock import START_MS

NOW_MS = START_MS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b"1s", 1.0),
        (b"6m0s", 360.0),
        (b"17ms", 0.017),
        (b"2m59.56s", 179.56),
        (b"1h2m3s", 3723.0),
        (b"7.66", 7.66),
        (b"30", 30.0),
        (b"0", 0.0),
        (b"1790000012", 12.0),
        (b"1790000012500", 12.5),
        (b"2026-09-21T14:13:32Z", 12.0),
        (b"2026-09-21T16:13:32+02:00", 12.0),
        (b"soon", None),
        (b"", None),
        (b"nan", None),
        (b"2026-09-21T14:13:32", None),
    ],
)
def test_resets_are_read(text: bytes, seconds: float | None) -> None:
    """Go durations, seconds, instants since 1970 and RFC 3339; nothing else is guessed at."""
    found = reset_s(text, NOW_MS)
    assert found == (None if seconds is None else pytest.approx(seconds, abs=0.001))


def openai(left: int, limit: int, reset: str) -> dict[bytes, bytes]:
    """OpenAI's three headers of requests."""
    return {
        b"x-ratelimit-remaining-requests": b"%d" % left,
        b"x-ratelimit-limit-requests": b"%d" % limit,
        b"x-ratelimit-reset-requests": reset.encode(),
    }


def test_it_is_left_before_it_refuses() -> None:
    """With nothing left of 60 a minute, the next request fits one second later, not sixty."""
    room = Headroom()
    room.began(100.0)
    room.heard(openai(0, 60, "1m0s"), 100.5, NOW_MS, 100.0)
    assert room.short(100.5)
    assert room.until_s(100.5) == pytest.approx(1.0)
    assert room.short(101.4)
    assert not room.short(101.6)


def test_what_is_under_way_is_counted() -> None:
    """Five were left when the answer was made, and five went out since: there is no room."""
    room = Headroom()
    for at in range(6):
        room.began(100.0 + at / 10)
    room.heard(openai(5, 60, "55s"), 101.0, NOW_MS, 100.0)
    assert room.short(101.0)


def test_each_request_takes_of_what_is_left() -> None:
    """Two are left: two may go, the third may not."""
    room = Headroom()
    room.began(100.0)
    room.heard(openai(2, 60, "58s"), 100.0, NOW_MS, 100.0)
    for _ in range(2):
        assert not room.short(100.0)
        room.began(100.0)
    assert room.short(100.0)


def test_plenty_is_not_watched() -> None:
    """Far from the limit nothing is kept, so that nothing is worked out for each request."""
    room = Headroom()
    room.heard(openai(9000, 10_000, "6s"), 100.0, NOW_MS, 99.0)
    assert not room.watched


def test_unlimited_is_not_none_left() -> None:
    """Azure says -1 and 0 where there is no limit."""
    room = Headroom()
    room.heard(openai(-1, -1, "0"), 100.0, NOW_MS, 99.0)
    assert not room.short(100.0)


def test_tokens_are_measured_by_what_answers_take() -> None:
    """300 tokens are no room for requests that take a thousand."""
    room = Headroom()
    room.used(1000)
    room.heard(
        {
            b"anthropic-ratelimit-tokens-remaining": b"100",
            b"anthropic-ratelimit-tokens-limit": b"40000",
            b"anthropic-ratelimit-tokens-reset": b"2026-09-21T14:14:20Z",
        },
        100.0,
        NOW_MS,
        99.0,
    )
    assert room.short(100.0)
    assert room.until_s(100.0) == pytest.approx(900 / (39_900 / 60), rel=0.01)


def test_words_are_no_numbers() -> None:
    """A header that says something else is passed over."""
    room = Headroom()
    room.heard(openai(0, 60, "later") | {b"x-ratelimit-remaining": b"some"}, 100.0, NOW_MS, 99.0)
    assert not room.watched
