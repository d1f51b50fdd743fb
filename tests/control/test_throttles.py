"""Throttles as objects of the admin API: who makes them, what becomes of them when their time is over."""

from __future__ import annotations

import pytest

from penstock.control.throttles import expire
from tests.control.house import House

PATH = "/admin/api/orgs/acme/throttles/slow"
SPEC = {"user": "jane", "limits": {"rpm": 6}, "until": "2030-03-17T17:50:00Z", "why": "spent a lot"}


def test_an_admin_throttles_and_lifts(house: House) -> None:
    """It is in what gateways get, in the audit log, and gone when it is deleted."""
    with house.client(house.member("acme", "boss", "admin")) as client:
        assert client.put(PATH, json=SPEC).status_code == 201
        assert house.published.orgs["acme"].throttles["slow"].limits.rpm == 6
        entry = client.get("/admin/api/audit", params={"kind": "throttle"}).json()["items"][0]
        assert (entry["action"], entry["actor"]) == ("create", "service-account:acme/boss")
        assert client.delete(PATH).status_code == 200
        assert "slow" not in house.published.orgs["acme"].throttles


@pytest.mark.parametrize(("role", "org"), [("member", "acme"), ("viewer", "acme"), ("owner", "beta")])
def test_others_do_not(house: House, role: str, org: str) -> None:
    """Members and viewers of the organisation, and owners of another one."""
    with house.client(house.member(org, "x", role)) as client:
        assert client.put(PATH, json=SPEC).status_code in {403, 404}
    assert house.published.orgs["acme"].throttles == {}


def test_what_is_over_is_removed_and_written_down(house: House) -> None:
    """Only that, and once."""
    house.objects.put(house.owner, "throttle", "acme", "slow", SPEC)
    house.objects.put(house.owner, "throttle", "acme", "long", {**SPEC, "until": "2040-01-01T00:00:00Z"})
    house.now = 1_899_999_999_000
    assert expire(house.plane) == 0
    house.now = 1_900_000_200_000
    assert expire(house.plane) == 1
    assert set(house.published.orgs["acme"].throttles) == {"long"}
    assert expire(house.plane) == 0
    with house.client() as client:
        entry = client.get("/admin/api/audit", params={"kind": "throttle"}).json()["items"][0]
    assert (entry["action"], entry["name"], entry["actor"]) == ("expire", "slow", "clock")


def test_a_rollback_brings_none_back(house: House) -> None:
    """Neither one that was lifted, nor away one that holds."""
    house.objects.put(house.owner, "throttle", "acme", "slow", SPEC)
    before = house.head()
    house.objects.delete(house.owner, "throttle", "acme", "slow")
    house.revisions.rollback(house.owner, before)
    assert house.published.orgs["acme"].throttles == {}


def test_a_user_whom_nobody_configured_can_be_throttled(house: House) -> None:
    """Users are who requests say that they are; the object only names them."""
    with house.client() as client:
        assert client.put(PATH, json={**SPEC, "user": "42 of the shop"}).status_code == 201
        told = client.put(PATH, json={**SPEC, "key": "filed"})
        assert told.status_code == 422
        assert "a user or a key" in told.json()["detail"]
