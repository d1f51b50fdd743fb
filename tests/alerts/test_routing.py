"""What is told of routes: fallbacks, retries, models that changed or will be gone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec
import pytest

from penstock.config.load import load_text
from penstock.core.alerts import Reading
from penstock.core.drills import Side, report_of
from penstock.core.exchange import FALLBACK_FROM, AttemptFacts, Drilled, ExchangeSettled, RequestFacts, Subject
from penstock.core.routing_alerts import DAY_MS, MINUTE_MS, Deprecation, RoutingWatch, deprecations
from penstock.worker.alerts.routing import RoutingDesk

NOW = 20_000 * DAY_MS + 12 * 3_600_000
HOUR = 3_600_000


def settled(
    at_ms: int = NOW,
    *,
    fell_back: bool = False,
    retried: bool = False,
    answered: str = "m-1",
    purpose: str = "",
    route: str = "support",
) -> ExchangeSettled:
    """An exchange that was answered."""
    last = AttemptFacts(1, "up/m", "m", at_ms, "ok", model_answered=answered)
    attempts = (
        [msgspec.structs.replace(last, outcome="error", cause="upstream_503"), last] if retried else [last]
    )
    facts = RequestFacts("r", at_ms, "openai", "chat.completions", route, "m", purpose=purpose)
    notes = {FALLBACK_FROM: "other/m"} if fell_back else {}
    return ExchangeSettled(facts, Subject(), attempts, at_ms, "ok", 200, notes=notes)


def watch(events: Iterable[ExchangeSettled]) -> RoutingWatch:
    """A watch that has seen these."""
    made = RoutingWatch({}, {}, {})
    for event in events:
        made.take(event)
    return made


def firing(made: RoutingWatch, now_ms: int = NOW) -> dict[str, list[Reading]]:
    """Readings that have reached their threshold, by kind."""
    found: dict[str, list[Reading]] = {}
    for each in made.readings(now_ms, HOUR):
        if each.value >= each.rule.threshold:
            found.setdefault(each.rule.kind, []).append(each)
    return found


@pytest.mark.parametrize(
    ("fallbacks", "severities"), [(4, []), (5, ["warning"]), (20, ["warning", "critical"])]
)
def test_many_fallbacks_are_told_from_a_twentieth_on(fallbacks: int, severities: list[str]) -> None:
    """Of a hundred answers; from a fifth on it is critical."""
    made = watch(settled(fell_back=at < fallbacks) for at in range(100))
    assert [each.rule.severity for each in firing(made).get("fallback.share", [])] == severities


def test_only_the_last_ten_minutes_count() -> None:
    """What fell back before is over, and is forgotten."""
    made = watch(settled(NOW - 11 * MINUTE_MS, fell_back=True) for _ in range(100))
    for _ in range(30):
        made.take(settled())
    assert firing(made) == {}
    made.forget(NOW)
    assert made.minutes["support"] == {NOW // MINUTE_MS: [30, 0]}


def test_a_few_requests_say_nothing() -> None:
    """Below twenty answers no share is told."""
    assert firing(watch(settled(fell_back=True) for _ in range(19))) == {}


def test_requests_of_the_gateways_own_do_not_count() -> None:
    """A mirror that falls back is no outage."""
    made = watch(settled(fell_back=True, purpose="mirror") for _ in range(50))
    assert made == RoutingWatch({}, {}, {})


@pytest.mark.parametrize(("retried", "told"), [(15, True), (14, False)])
def test_retries_that_rose_by_five_points_in_two_weeks_are_told(retried: int, told: bool) -> None:
    """Yesterday against the same day two weeks before it."""
    before = [settled(NOW - 15 * DAY_MS, retried=at < 10) for at in range(100)]
    recent = [settled(NOW - DAY_MS, retried=at < retried) for at in range(100)]
    found = firing(watch([*before, *recent])).get("retry.rise", [])
    assert bool(found) is told
    if told:
        assert "15.0% of yesterday's requests" in found[0].message


def test_another_model_that_answers_is_told_for_a_day() -> None:
    """Once per change; what always differed from the name that was asked for is no news."""
    made = watch([settled(NOW - HOUR, answered="m-2026-01-01"), settled(NOW - HOUR, answered="m-2026-01-01")])
    assert firing(made) == {}
    made.take(settled(NOW, answered="m-2026-06-01"))
    (told,) = firing(made)["model.changed"]
    assert told.labels == {
        "target": "up/m",
        "asked": "m",
        "answered": "m-2026-06-01",
        "before": "m-2026-01-01",
    }
    assert firing(made, NOW + DAY_MS) == {}


@pytest.mark.parametrize(
    ("gone", "severity"),
    [(date(2026, 9, 1), None), (date(2026, 8, 1), "warning"), (date(2026, 5, 20), "critical")],
)
def test_models_that_will_be_gone_are_told_ninety_days_ahead(gone: date, severity: str | None) -> None:
    """With the routes that lead to them, and what to do."""
    feed = [Deprecation("up/m", gone, "up/n", "https://vendor.example"), Deprecation("up/x", gone)]
    routes = {"support": frozenset({"up/m", "m"}), "other": frozenset({"up/n"})}
    found = [
        each for each in deprecations(feed, routes, date(2026, 5, 4), HOUR) if each.value >= each.rule.threshold
    ]
    assert [each.rule.severity for each in found] == ([severity] if severity else [])
    if found:
        assert found[0].labels["routes"] == "support"
        assert "move support to up/n" in found[0].message


def test_counts_survive_a_restart_and_nothing_counts_twice(tmp_path: Path) -> None:
    """A journal that is read again from an earlier place adds only what is new."""
    path = tmp_path / "watch.json"
    desk = RoutingDesk(path)
    desk.take("b1", [(seq, settled(fell_back=True)) for seq in range(1, 31)])
    desk.save(frozenset({"b1"}))
    again = RoutingDesk(path)
    again.take("b1", [(seq, settled(fell_back=True)) for seq in range(21, 41)])
    document = load_text("version: 1\n", {})
    told = [each for each in again.readings(document, NOW, HOUR) if each.rule.kind == "fallback.share"]
    assert {each.labels["answers"] for each in told} == {"40"}


def test_a_broken_file_of_counts_is_no_trouble(tmp_path: Path) -> None:
    """It is counted anew."""
    (tmp_path / "watch.json").write_text("{")
    desk = RoutingDesk(tmp_path / "watch.json")
    desk.take("b1", [(1, settled())])
    assert list(desk.readings(load_text("version: 1\n", {}), NOW, HOUR))


def test_the_feed_is_matched_with_routes_by_every_name_of_a_target(tmp_path: Path) -> None:
    """A deployment goes by its own name and by its model's; the file is read when it changes."""
    feed = tmp_path / "gone.json"
    feed.write_text("[]")
    text = f"""
version: 1
providers: {{up: {{kind: openai, base_url: "http://127.0.0.1:1/v1"}}}}
deployments: {{mine: {{provider: up, model: m}}}}
routes: {{support: {{policy: {{fallback: [mine, up/n]}}}}}}
alerts: {{deprecations: {feed}}}
"""
    document, desk = load_text(text, {}), RoutingDesk(tmp_path / "watch.json")
    assert list(desk.readings(document, NOW, HOUR)) == []
    day = date.fromordinal(date(1970, 1, 1).toordinal() + 20_010).isoformat()
    feed.write_text(json.dumps([{"model": name, "date": day} for name in ("up/m", "up/n", "up/o", "mine")]))
    told = list(desk.readings(document, NOW, HOUR))
    assert [each.labels["model"] for each in told] == ["up/m", "up/n", "mine"]
    assert {each.labels["routes"] for each in told} == {"support"}


def drilled(verdict: str, ended_ms: int = NOW, reason: str = "") -> Drilled:
    """A drill of the route `r`."""
    nothing = report_of(Side(), Side())
    return Drilled(
        "d1", "r", "spare", 0.05, ended_ms - 900_000, ended_ms, verdict, reason, planned=True, report=nothing
    )


@pytest.mark.parametrize(
    ("verdict", "days", "told"),
    [
        ("done", 46, True),
        ("done", 44, False),
        ("idle", 46, True),
        ("interrupted", 46, True),
        ("stopped", 44, False),
    ],
)
def test_a_route_that_was_not_drilled_for_long_is_told(verdict: str, days: int, told: bool) -> None:
    """After one and a half intervals; a drill that led nobody away, or was cut short, is none."""
    made = RoutingWatch()
    list(made.drill_readings({"r": 30 * 86_400}, NOW - 46 * 86_400_000, 0))
    made.drilled(drilled(verdict, NOW - days * 86_400_000))
    (found,) = [one for one in made.drill_readings({"r": 30 * 86_400}, NOW, 0) if one.rule.kind == "drill.age"]
    assert (found.value >= found.rule.threshold) is told


def test_a_drill_that_was_stopped_is_told_with_its_reason_until_the_next_one() -> None:
    """The next drill that comes to its end clears it."""
    made = RoutingWatch()
    made.drilled(drilled("stopped", reason="cost: 3.0 times"))
    (found,) = list(made.drill_readings({}, NOW, 0))
    assert (found.rule.kind, found.rule.severity) == ("drill.failed", "critical")
    assert "cost: 3.0 times" in found.message
    made.drilled(drilled("done", NOW + 1))
    assert list(made.drill_readings({}, NOW, 0)) == []
