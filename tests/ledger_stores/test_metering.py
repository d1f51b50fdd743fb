"""Events for billing: each exchange once, whatever is exported when, with the ledger's own sums."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.adapters.ledger.reading import LedgerReader
from penstock.core.exchange import Event, ExchangeSettled, Subject
from penstock.core.metering import Cursor, Metered, MeteringError, MeteringQuery, cursor_of
from penstock.ports.ledger import Gaps, LedgerStore, Position
from penstock.worker.stores import LedgerPlace
from tests.ledger.doubles import attempt, opened, settled
from tests.ledger_stores.test_conformance import pairs, reader_at, store_at

ACME = Subject("acme", "red", "jane", "k1")
BLUE = Subject("acme", "blue", "joe", "k2")
BETA = Subject("beta", "", "", "k3")


def exchange(number: int, subject: Subject = ACME, cost: int | None = 7, **tags: str) -> ExchangeSettled:
    """One settled exchange."""
    event = settled(number, [attempt(1, cost)])
    request = replace(event.request, tags=tags, feature=tags.get("feature", ""))
    return replace(event, subject=subject, request=request)


def commit(store: LedgerStore, boot: str, events: list[Event], before: int = 0) -> None:
    """Events of one boot, behind those that it had."""
    place = Position(1, 100 * (before + len(events)), before + len(events))
    store.commit(boot, pairs(events, before + 1), place, Gaps())


def every(reader: LedgerReader, query: MeteringQuery) -> list[Metered]:
    """All pages."""
    found: list[Metered] = []
    while page := reader.metered(query):
        found += page
        query = replace(query, after=page[-1].cursor)
    return found


def ids(found: list[Metered]) -> list[str]:
    """Their ids."""
    return [each.event["id"] for each in found]


def test_each_exchange_once_with_the_ledgers_sum(place: LedgerPlace) -> None:
    """However small the pages are; what has no price is null in cost, and known in part in what is charged."""
    story: list[Event] = [
        exchange(n, (ACME, BLUE, BETA)[n % 3], None if n == 5 else n * 3) for n in range(1, 12)
    ]
    with store_at(place) as store:
        commit(store, "a", story)
        with reader_at(place) as reader:
            for limit in (1, 4, 100):
                found = every(reader, MeteringQuery(limit=limit))
                assert len(set(ids(found))) == len(found) == 11
                charged = sum(each.event["charged_nanousd"] for each in found)
                assert charged == sum(line.cost_nanousd for line in reader.cost(["org"], 0))
            (unpriced,) = [each.event for each in found if each.event["cost_nanousd"] is None]
            assert unpriced["charged_nanousd"] == 0


def test_what_comes_late_is_not_missed(place: LedgerPlace) -> None:
    """A row of yesterday that is committed today stands behind what was exported; nothing comes twice."""
    with store_at(place) as store:
        commit(store, "a", [exchange(50), exchange(51)])
        with reader_at(place) as reader:
            first = every(reader, MeteringQuery(limit=10))
        commit(store, "b", [exchange(1), exchange(2)])
        commit(store, "a", [opened(60)], 2)
        with reader_at(place) as reader:
            later = every(reader, MeteringQuery(after=first[-1].cursor))
            assert len(first) == len(later) == 2
            last = later[-1].cursor
        store.finish("a", Position(1, 300, 3), 2_000_000_000_000)
        with reader_at(place) as reader:
            (interrupted,) = every(reader, MeteringQuery(after=last))
        assert interrupted.event["outcome"] == "interrupted"
        assert interrupted.event["usage_source"] == "estimated"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3), st.booleans()), min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_any_interleaving_gives_the_same_sum(steps: list[tuple[str, int, bool]], limit: int) -> None:
    """Commits of two boots and exports in any order: each event once, and the sum is the ledger's."""
    with tempfile.TemporaryDirectory() as folder:
        place = LedgerPlace(Path(folder))
        after: Cursor | None = None
        seen: list[Metered] = []
        counts = {"a": 0, "b": 0}
        number = 0
        with store_at(place) as store:
            for boot, size, exports in [*steps, ("a", 1, True)]:
                events: list[Event] = []
                for _ in range(size):
                    number += 1
                    events.append(exchange(number, cost=number * 11))
                commit(store, boot, events, counts[boot])
                counts[boot] += size
                if exports:
                    with reader_at(place) as reader:
                        seen += every(reader, MeteringQuery(after=after, limit=limit))
                    after = seen[-1].cursor if seen else None
            with reader_at(place) as reader:
                total = sum(line.cost_nanousd for line in reader.cost(["key"], 0))
        assert len(set(ids(seen))) == len(seen) == number
        assert sum(each.event["charged_nanousd"] for each in seen) == total


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"org": "acme"}, 4), ({"org": "acme", "team": "blue"}, 2), ({"user": "jane"}, 2), ({"key": "k3"}, 2),
        ({"tags": {"feature": "search"}}, 3), ({"tags": {"feature": "search", "x": "1"}}, 0),
        ({"places": (("acme", "red"), ("beta", ""))}, 4), ({"places": ()}, 0), ({"org": "acme' OR 1=1 --"}, 0),
        ({"org": "beta", "places": (("acme", ""),)}, 0),
    ],
)  # fmt: skip
def test_filters_and_what_the_caller_may_see(place: LedgerPlace, filters: dict[str, Any], count: int) -> None:
    """Every filter narrows, and no filter reaches beyond the places of the caller."""
    story: list[Event] = [
        exchange(n, (ACME, BLUE, BETA)[n % 3], feature="search" if n % 2 else "chat") for n in range(6)
    ]
    with store_at(place) as store:
        commit(store, "a", story)
    with reader_at(place) as reader:
        assert len(every(reader, MeteringQuery(**filters))) == count


def test_a_window_is_by_the_time_of_the_request(place: LedgerPlace) -> None:
    """From `since` on, and before `until`."""
    story: list[Event] = [exchange(n) for n in range(1, 6)]
    times = sorted(event.request.ts_ms for event in story)
    with store_at(place) as store:
        commit(store, "a", story)
    with reader_at(place) as reader:
        found = every(reader, MeteringQuery(since_ms=times[1], until_ms=times[-1]))
        assert len(found) == sum(times[1] <= each < times[-1] for each in times)


def test_a_cursor_of_another_ledger_is_refused(place: LedgerPlace) -> None:
    """It is not taken for a place in this one; a text that is none is refused as well."""
    with store_at(place) as store:
        commit(store, "a", [exchange(1)])
    with reader_at(place) as reader:
        (found,) = every(reader, MeteringQuery())
        assert cursor_of(found.cursor.text()) == found.cursor
        with pytest.raises(MeteringError, match="made anew"):
            reader.metered(MeteringQuery(after=Cursor(found.cursor.place, "req_other")))
    for text in ("", "nonsense", "W10"):
        with pytest.raises(MeteringError):
            cursor_of(text)
