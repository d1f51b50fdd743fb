"""How targets stand: what closes them beside their own breaker, and what is known of them."""

from __future__ import annotations

import pytest

from penstock.core.health import CLOSED
from penstock.core.health_rules import HealthRule, Place
from penstock.routing.standings import MAX_STANDINGS, Standings
from penstock.routing.standings_told import told

NOW = 1_000.0


def standings() -> Standings:
    """Two providers with two targets each; one of them has them in one region."""
    made = Standings()
    places = {
        "a1": Place("a", "eu"),
        "a2": Place("a", "eu"),
        "a3": Place("a", "us"),
        "b1": Place("b"),
        "b2": Place("b"),
    }
    made.apply(places, HealthRule())
    return made


def failed(made: Standings, target: str, cause: str, count: int = 5) -> None:
    """So many failures of a target, now."""
    standing = made.of(target)
    for _ in range(count):
        standing.began(NOW)
        standing.ended(NOW, cause)  # type: ignore[arg-type]


def test_what_cannot_be_connected_to_closes_its_provider() -> None:
    """Five refused connections of one target are enough for its siblings, and say nothing of others."""
    made = standings()
    failed(made, "a1", "unreachable")
    assert made.of("a2").closed_to(NOW) == "provider a: breaker open: unreachable"
    assert made.of("b1").closed_to(NOW) == ""


def test_one_overloaded_model_does_not_close_its_provider() -> None:
    """503s of one model say nothing of another."""
    made = standings()
    failed(made, "a1", "overload", 50)
    assert made.of("a1").closed_to(NOW)
    assert made.of("a2").closed_to(NOW) == ""


def test_most_of_a_providers_targets_close_the_rest() -> None:
    """With two of three targets down, the third is not waited for."""
    made = standings()
    made.of("a3").began(NOW)
    failed(made, "a1", "overload")
    assert made.of("a3").closed_to(NOW) == ""
    failed(made, "a2", "overload")
    assert made.of("a3").closed_to(NOW) == "provider a: breaker open: most of its targets are down"


def test_a_region_closes_apart_from_others() -> None:
    """Where a region of a provider cannot be reached, the region's breaker says so."""
    made = standings()
    made.of("a3")
    failed(made, "a1", "unreachable")
    regions = {each["id"]: each for each in told(made, NOW)["groups"]}  # type: ignore[attr-defined]
    assert regions["a@eu"]["reason"] == "breaker open: unreachable"
    assert regions["a@us"]["reason"] == ""


def test_an_answer_opens_everything_again() -> None:
    """The trial of one target is the trial of its provider."""
    made = standings()
    failed(made, "a1", "unreachable")
    later = NOW + 3.0
    standing = made.of("a2")
    assert standing.closed_to(later) == ""
    standing.began(later)
    standing.ended(later + 0.1, "ok", 0.0, 0.1)
    assert made.of("a3").closed_to(later + 0.2) == ""


def test_rules_change_with_the_plan_and_state_stays() -> None:
    """After a reload the old breaker is still open, and the new rule holds."""
    made = standings()
    failed(made, "b1", "overload")
    made.apply({"b1": Place("b", "", HealthRule(on=False)), "b2": Place("b")}, HealthRule())
    assert made.of("b1").breaker.state != CLOSED
    assert made.of("b1").closed_to(NOW) == ""


def test_memory_is_bounded() -> None:
    """Names that clients make up are not kept without end."""
    made = Standings()
    for at in range(MAX_STANDINGS + 10):
        made.of(f"p/{at}")
    assert len(list(made.all())) == MAX_STANDINGS


def test_what_is_told() -> None:
    """Answers, attempts, latencies in milliseconds, what the vendor has left."""
    made = standings()
    standing = made.of("b1")
    for _ in range(10):
        standing.began(NOW)
        headers = {
            b"x-ratelimit-remaining-requests": b"3",
            b"x-ratelimit-limit-requests": b"100",
            b"x-ratelimit-reset-requests": b"58s",
        }
        standing.ended(NOW, "ok", 0.2, 1.0, 50, headers, 1_790_000_000_000)
    failed(made, "b1", "failed", 2)
    (each,) = [each for each in told(made, NOW)["targets"] if each["target"] == "b1"]  # type: ignore[attr-defined]
    assert (each["answers"], each["attempts"]) == (10, 12)
    assert each["ttft_p50_ms"] == pytest.approx(200, rel=0.1)
    assert each["total_p95_ms"] == pytest.approx(1000, rel=0.1)
    assert "x-ratelimit-remaining-requests" in each["left"]


def test_a_slow_answer_is_one_by_the_targets_own_measure() -> None:
    """Answers in a fifth of a second, then ones that take two seconds each: it is left as slow."""
    made = standings()
    standing = made.of("b1")
    for at in range(40):
        standing.began(NOW + at)
        standing.ended(NOW + at + 0.2, "ok", 0.0, 0.2)
    for at in range(20):
        standing.began(NOW + 60 + at)
        standing.ended(NOW + 62 + at, "ok", 0.0, 2.0)
        if standing.closed_to(NOW + 62 + at):
            break
    assert standing.soft()
