"""Requests under way through the admin API: who sees which, who may stop them, and what is written down."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient

from tests.control.house import House
from tests.control.live import FakeLive, exchange

PATH = "/admin/api/exchanges"


@pytest.fixture
def live(house: House) -> FakeLive:
    """Requests of two organisations, of two teams of one of them, and of none."""
    made = FakeLive(
        [
            exchange("req_1", "acme", "red", "jane"),
            exchange("req_2", "acme", "blue", "joe"),
            exchange("req_3", "beta"),
            exchange("req_4", ""),
            exchange("req_5", "acme", "red", "worker"),
        ],
        ("boot-two",),
    )
    house.plane.live = made
    return made


def ids(client: TestClient[Any], **filters: Any) -> list[str]:
    """The ids of one page."""
    answer = client.get(PATH, params=filters)
    assert answer.status_code == 200, answer.text
    return [one["request_id"] for one in answer.json()["items"]]


def test_each_sees_his_own_place(house: House, live: FakeLive) -> None:
    """The operator all, an organisation's member its own, a team's viewer the team's."""
    assert live.silent
    with house.client() as client:
        assert ids(client) == ["req_1", "req_2", "req_3", "req_4", "req_5"]
        assert client.get(PATH).json()["silent"] == ["boot-two"]
    with house.client(house.member("acme", "m", "member")) as client:
        assert ids(client) == ["req_1", "req_2", "req_5"]
        assert ids(client, org="beta") == []
    with house.client(house.member("acme", "v", "viewer", "red")) as client:
        assert ids(client) == ["req_1", "req_5"]


def test_pages_and_filters(house: House, live: FakeLive) -> None:
    """Pages follow each other without loss, and every filter narrows."""
    assert live.running
    with house.client() as client:
        first = client.get(PATH, params={"limit": 2}).json()
        rest = client.get(PATH, params={"limit": 4, "cursor": first["next_cursor"]}).json()
        assert [one["request_id"] for one in first["items"] + rest["items"]] == [
            f"req_{n}" for n in range(1, 6)
        ]
        assert rest["next_cursor"] is None
        assert ids(client, org="acme", team="blue") == ["req_2"]
        assert ids(client, user="jane") == ["req_1"]
        assert ids(client, key="other") == []
        assert client.get(PATH, params={"cursor": "nonsense"}).status_code == 400


def test_an_admin_stops_one_and_it_is_written_down(house: House, live: FakeLive) -> None:
    """Its gateway is told, and the audit log says who did it, to whose request, and why."""
    with house.client(house.member("acme", "boss", "admin")) as client:
        answer = client.delete(f"{PATH}/req_2", params={"reason": "a loop"})
        assert (answer.status_code, answer.json()) == (200, {"request_id": "req_2", "stopped": True})
        assert client.delete(f"{PATH}/req_2").status_code == 404
        assert client.delete(f"{PATH}/req_3").status_code == 404
        entry = client.get("/admin/api/audit", params={"action": "kill"}).json()["items"][0]
    assert live.stopped == [("boot-one", "req_2")]
    told = {name: entry[name] for name in ("action", "kind", "org", "name", "outcome", "reason")}
    assert told == {
        "action": "kill", "kind": "exchange", "org": "acme", "name": "req_2", "outcome": "done",
        "reason": "a loop",
    }  # fmt: skip


def test_a_member_stops_his_own_and_nobody_elses(house: House, live: FakeLive) -> None:
    """What is refused is written down as well."""
    with house.client(house.member("acme", "worker", "member")) as client:
        assert client.delete(f"{PATH}/req_1").status_code == 403
        assert client.delete(f"{PATH}/req_5").status_code == 200
    assert live.stopped == [("boot-one", "req_5")]
    with house.client() as client:
        entries = client.get("/admin/api/audit", params={"action": "kill"}).json()["items"]
    assert [(one["name"], one["outcome"]) for one in entries] == [("req_5", "done"), ("req_1", "denied")]


def test_without_gateways_there_is_nothing(house: House) -> None:
    """A control process that stands alone has an empty list."""
    with house.client() as client:
        assert ids(client) == []
        assert client.delete(f"{PATH}/req_1").status_code == 404
