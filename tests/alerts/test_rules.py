"""When a value becomes an alert, and when it becomes one again."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.core.alerts import Alert, Memory, Reading, Rule, Webhook, judge, judge_all

RULE = Rule("test.rule", "warning", threshold=1.0, clear=0.9, cooldown_ms=1_000)
STORY = st.lists(st.tuples(st.integers(1, 2_000), st.floats(0, 2)), max_size=40)


def raises(story: list[tuple[int, float]], rule: Rule = RULE) -> list[tuple[int, int]]:
    """At which step and time a rule raises that looks at these values after these waits."""
    memory, now_ms, found = Memory(), 0, list[tuple[int, int]]()
    for step, (wait_ms, value) in enumerate(story):
        now_ms += wait_ms
        memory, raised = judge(rule, memory, value, now_ms)
        if raised:
            found.append((step, now_ms))
    return found


@given(story=STORY)
def test_an_alert_is_raised_at_the_threshold_and_again_only_after_it_was_clear_and_rested(
    story: list[tuple[int, float]],
) -> None:
    """Between two alerts the value was below `clear`, and at least the cooldown went by."""
    found = raises(story)
    assert all(story[step][1] >= RULE.threshold for step, _ in found)
    for (first, before), (second, after) in pairwise(found):
        assert after - before >= RULE.cooldown_ms
        assert min(value for _, value in story[first:second]) < RULE.clear


@given(story=STORY)
def test_the_first_time_is_never_missed(story: list[tuple[int, float]]) -> None:
    """The first value at or above the threshold raises."""
    first = next((step for step, (_, value) in enumerate(story) if value >= RULE.threshold), None)
    assert [step for step, _ in raises(story)][:1] == ([first] if first is not None else [])


def test_a_value_that_trembles_is_one_alert() -> None:
    """Around the threshold, above `clear`, it is not news each time, nor what stays high through the pause."""
    assert len(raises([(5_000, 1.0), (5_000, 0.95), (5_000, 1.1), (5_000, 0.91), (5_000, 1.0)])) == 1


def test_what_comes_back_within_the_pause_is_raised_when_the_pause_is_over() -> None:
    """It is late, and not lost."""
    assert [step for step, _ in raises([(1, 1.0), (100, 0.0), (100, 1.0), (500, 1.0), (500, 1.0)])] == [0, 4]


def reading(threshold: float, value: float, group: str = "g") -> Reading:
    """One of several rules that look at the same thing."""
    rule = Rule("test.rule", "info", threshold, threshold * 0.9, 0)
    return Reading(rule, group, "thing", value, "it is so")


def test_of_a_group_the_highest_speaks() -> None:
    """Three thresholds crossed at once are one alert, and none of the lower ones comes later."""
    readings = [reading(each, 1.2) for each in (0.5, 1.0, 0.8)] + [reading(0.5, 0.6, "other")]
    memories, alerts = judge_all(readings, {}, 7)
    assert sorted((each.threshold, each.at_ms) for each in alerts) == [(0.5, 7), (1.0, 7)]
    assert judge_all(readings, memories, 8) == ({}, [])


def test_fingerprints_are_the_same_for_the_same_thing_alone() -> None:
    """Group and threshold make it; the value does not."""
    assert reading(0.5, 1).fingerprint == reading(0.5, 2).fingerprint
    assert (
        len({reading(0.5, 1).fingerprint, reading(0.8, 1).fingerprint, reading(0.5, 1, "b").fingerprint}) == 3
    )


def test_a_webhook_gets_what_it_wants() -> None:
    """By kind, with all below a dot, by severity and by organisation."""
    alert = Alert("budget.share", "warning", 0, "key a", 1, 1, "f", "m", org="acme")
    hook = Webhook("w", "http://h/", (b"k",))
    wanted = [
        Webhook("w", "u", (), kinds=("budget.*",)),
        Webhook("w", "u", (), kinds=("x", "budget.share")),
        Webhook("w", "u", (), kinds=("*",), min_severity="warning", orgs=("other", "acme")),
        hook,
    ]
    unwanted = [
        Webhook("w", "u", (), kinds=("budget",)),
        Webhook("w", "u", (), kinds=("budgets.*",)),
        Webhook("w", "u", (), min_severity="critical"),
        Webhook("w", "u", (), orgs=("other",)),
    ]
    assert all(each.wants(alert) for each in wanted)
    assert not any(each.wants(alert) for each in unwanted)
    assert "http://h/" not in repr(hook)
