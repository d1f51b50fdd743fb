"""What every store of owned ids does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.owned.boxes import InMemory, OnDisk, Place, find, forget, keep, record


@pytest.fixture(params=["memory", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each adapter in turn."""
    made = InMemory() if request.param == "memory" else OnDisk(tmp_path / "owned.db")
    yield made
    made.close()


def test_a_record_is_found_as_it_was_put(place: Place) -> None:
    """All of it comes back, the conversation included."""
    one = record(kept=b'{"input":"secret"}', created_ms=place.clock.now_ms())
    keep(place, one)
    assert find(place, "acme", "resp_1") == one


def test_another_organisations_id_is_not_there(place: Place) -> None:
    """The same id may belong to two; neither finds, replaces or deletes the other's."""
    now_ms = place.clock.now_ms()
    mine, theirs = record(created_ms=now_ms), record("other", kept=b"x", created_ms=now_ms)
    keep(place, mine)
    assert find(place, "other", "resp_1") is None
    keep(place, theirs)
    assert find(place, "acme", "resp_1") == mine
    assert forget(place, "other", "resp_1") == ""
    assert find(place, "acme", "resp_1") == mine
    assert find(place, "other", "resp_1") is None


def test_what_is_forgotten_is_gone(place: Place) -> None:
    """Forgetting twice is no failure."""
    keep(place, record(created_ms=place.clock.now_ms()))
    assert forget(place, "acme", "resp_1") == ""
    assert find(place, "acme", "resp_1") is None
    assert forget(place, "acme", "resp_1") == ""


def test_a_record_lasts_for_thirty_days(place: Place) -> None:
    """A second before they are over it is found, and then it is not."""
    keep(place, record(created_ms=place.clock.now_ms()))
    place.clock.leap(30 * 86_400 - 1)
    assert find(place, "acme", "resp_1") is not None
    place.clock.leap(1)
    assert find(place, "acme", "resp_1") is None


def test_a_record_may_be_put_again(place: Place) -> None:
    """The last one counts."""
    now_ms = place.clock.now_ms()
    keep(place, record(created_ms=now_ms))
    keep(place, record(kept=b"more", created_ms=now_ms))
    found = find(place, "acme", "resp_1")
    assert found == record(kept=b"more", created_ms=now_ms)
