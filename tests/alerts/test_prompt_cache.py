"""A route that reads less from its vendors' caches than before is told."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from penstock.core.exchange import AttemptFacts, ExchangeSettled, RequestFacts, Subject
from penstock.core.prompt_cache_alerts import HOUR_MS
from penstock.core.routing_alerts import RoutingWatch
from penstock.core.usage import Usage

NOW = 480_000 * HOUR_MS + HOUR_MS // 2


def _answer(hours_ago: float, read: int) -> ExchangeSettled:
    at_ms = NOW - int(hours_ago * HOUR_MS)
    usage = Usage(input_tokens=1000, cache_read_tokens=read)
    attempt = AttemptFacts(1, "up/m", "m", at_ms, "ok", usage=usage)
    facts = RequestFacts("r", at_ms, "openai", "chat.completions", "support", "m")
    return ExchangeSettled(facts, Subject(), [attempt], at_ms, "ok", 200)


def _told(watch: RoutingWatch) -> list[float]:
    readings = [each for each in watch.readings(NOW, HOUR_MS) if each.rule.kind == "prompt_cache.drop"]
    return [round(each.value, 6) for each in readings if each.value >= each.rule.threshold]


def _watch(before: int, now: int, answers: int = 100) -> RoutingWatch:
    watch = RoutingWatch()
    for _ in range(answers):
        watch.take(_answer(50, before))
        watch.take(_answer(2, now))
    return watch


@pytest.mark.parametrize(("before", "now", "told"), [(700, 600, [0.1]), (700, 601, []), (600, 700, [])])
def test_ten_points_below_the_week_before_are_told(before: int, now: int, told: list[float]) -> None:
    """Exactly ten count; a rise is no matter."""
    assert _told(_watch(before, now)) == told


def test_a_few_answers_say_nothing() -> None:
    """Below a hundred in either time no drop is told."""
    assert _told(_watch(900, 0, answers=99)) == []


def test_the_hour_that_is_not_over_does_not_count() -> None:
    """A change of prompts is told once whole hours show it."""
    watch = _watch(700, 700)
    for _ in range(500):
        watch.take(_answer(0.1, 0))
    assert _told(watch) == []


def test_requests_that_failed_do_not_count() -> None:
    """What was not answered has read nothing, and that is no drop."""
    watch = _watch(700, 700)
    for _ in range(500):
        watch.take(replace(_answer(2, 0), outcome="error"))
    assert _told(watch) == []


def test_old_hours_are_forgotten() -> None:
    """A week and the hours that are compared with it are kept."""
    watch = _watch(700, 600)
    watch.take(_answer(24 * 8, 1000))
    watch.forget(NOW)
    assert sorted(watch.reads["support"]) == [NOW // HOUR_MS - 50, NOW // HOUR_MS - 2]
