"""Drills by the admin API and by the clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.control.drills import AGAIN_MS, FIRST_MS, DrillClock
from tests.control.house import House
from tests.control.live import FakeLive

CONFIG = """\
version: 1
providers: {sim: {kind: simulator}}
routes:
  pay: {policy: {fallback: [sim/a, sim/b]}, drill: {to: sim/b, percent: 2, every: 7d}}
  other: {policy: sim/a}
orgs: {acme: {}}
"""
PATH = "/admin/api/routes/pay/drill"
DAY_MS = 86_400_000


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A control plane with one gateway that drills."""
    made = House(tmp_path, CONFIG)
    made.plane.live = FakeLive([])
    made.plane.drilled = list
    yield made
    made.close()


def live(house: House) -> FakeLive:
    """The gateway."""
    found = house.plane.live
    assert isinstance(found, FakeLive)
    return found


def test_a_drill_is_begun_listed_stopped_and_audited(house: House) -> None:
    """The gateway gets a rule with an id of its own; both acts stand in the audit log."""
    client = house.client()
    begun = client.post(PATH, json={"to": "sim/b", "percent": 5, "for_s": 60, "reason": "quarterly"})
    assert begun.status_code == 200
    (rule,) = live(house).rules
    assert (rule["id"], rule["route"], rule["target"]) == (begun.json()["id"], "pay", "sim/b")
    assert (rule["share"], rule["for_s"], rule["planned"]) == (0.05, 60.0, False)
    assert [each["id"] for each in client.get("/admin/api/drills").json()["running"]] == [rule["id"]]
    assert client.delete(PATH).status_code == 200
    assert client.delete(PATH).status_code == 404
    entries = client.get("/admin/api/audit?limit=10").json()["items"]
    assert {"drill", "kill"} <= {entry["action"] for entry in entries}


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 400, "to"),
        ({"to": "sim/b", "percent": 6}, 400, "up to 5 percent"),
        ({"to": "sim/b", "percent": 0}, 400, "up to 5 percent"),
        ({"to": "sim/b", "for_s": 100_000}, 400, "24 hours"),
        ({"to": "sim/b", "colour": 1}, 400, "colour"),
    ],
)
def test_what_is_no_drill_is_refused(house: House, body: dict[str, Any], status: int, says: str) -> None:
    """Nothing reaches a gateway."""
    told = house.client().post(PATH, json=body)
    assert told.status_code == status
    assert says in told.json()["detail"]
    assert live(house).rules == []


def test_what_gateways_refuse_is_told(house: House) -> None:
    """Their reason is the caller's."""
    live(house).refusing = "a drill is under way"
    told = house.client().post(PATH, json={"to": "sim/b"})
    assert (told.status_code, told.json()["code"], told.json()["detail"]) == (
        409,
        "drill_refused",
        "a drill is under way",
    )


def test_the_clock_drills_what_is_due_and_nothing_twice(house: House) -> None:
    """Not at once after a start, then once; again after the interval, or an hour where no record came."""
    now = [1_790_000_000_000]
    known: list[dict[str, Any]] = []
    house.plane.drilled = lambda: known
    clock = DrillClock(house.plane, house.plane.document, lambda: now[0])
    clock.tick()
    assert live(house).rules == []
    now[0] += FIRST_MS
    clock.tick()
    clock.tick()
    (rule,) = live(house).rules
    assert (rule["route"], rule["target"], rule["share"], rule["planned"]) == ("pay", "sim/b", 0.02, True)
    known.append({"route": "pay", "id": rule["id"], "began_ms": now[0], "verdict": "done"})
    now[0] += 6 * DAY_MS
    clock.tick()
    assert len(live(house).rules) == 1
    now[0] += 2 * DAY_MS
    clock.tick()
    assert len(live(house).rules) == 2
    now[0] += AGAIN_MS - 1
    clock.tick()
    assert len(live(house).rules) == 2


def test_what_stopped_in_one_gateway_stops_in_all(house: House) -> None:
    """The others are told as soon as the ledger knows."""
    client = house.client()
    drill_id = client.post(PATH, json={"to": "sim/b"}).json()["id"]
    clock = DrillClock(house.plane, house.plane.document, lambda: 0)
    clock.spread()
    assert len(live(house).rules) == 1
    house.plane.drilled = lambda: [{"route": "pay", "id": drill_id, "began_ms": 0, "verdict": "stopped"}]
    clock.spread()
    assert live(house).rules == []
