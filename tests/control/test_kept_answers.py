"""Kept answers through the admin API: who may look, who may take them away, and what is written down."""

from __future__ import annotations

from tests.control.house import House
from tests.control.live import FakeLive

PATH = "/admin/api/cache"


def test_the_installation_sees_what_is_kept(house: House) -> None:
    """Counts, stores and silent gateways; an organisation's owner does not see the others' counts."""
    house.plane.live = FakeLive([], ("boot-two",))
    with house.client() as client:
        told = client.get(PATH).json()
    assert told["items"][0]["routes"] == {"chat": {"exact": 3, "misses": 1}}
    assert told["items"][0]["stores"][0]["entries"] == 2
    assert told["silent"] == ["boot-two"]
    with house.client(house.member("acme", "o", "owner")) as client:
        assert client.get(PATH).status_code == 403


def test_each_takes_away_his_own(house: House) -> None:
    """All is the operator's to take, an organisation's its owner's; who names nothing is asked to."""
    live = FakeLive([])
    house.plane.live = live
    with house.client() as client:
        assert client.delete(PATH).status_code == 400
        done = client.delete(PATH, params={"all": "true"}).json()
    assert done["gateways"] == [{"gateway": "boot-one", "taken": 2, "why": ""}]
    assert live.purged == [{"before_ms": done["before_ms"]}]
    with house.client(house.member("acme", "o", "owner")) as client:
        assert client.delete(PATH, params={"org": "acme", "tag": "a=b", "reason": "gone"}).status_code == 200
        assert client.delete(PATH, params={"org": "beta"}).status_code == 403
        assert client.delete(PATH, params={"tag": "a=b"}).status_code == 403
    with house.client(house.member("acme", "v", "viewer")) as client:
        assert client.delete(PATH, params={"org": "acme"}).status_code == 403
    assert [each.get("org") for each in live.purged] == [None, "acme"]


def test_what_was_taken_away_is_in_the_audit_log(house: House) -> None:
    """Who, what, why; and who was not allowed to."""
    house.plane.live = FakeLive([])
    with house.client(house.member("acme", "o", "owner")) as client:
        client.delete(PATH, params={"org": "acme", "route": "chat", "reason": "wrong answers"})
        client.delete(PATH, params={"org": "beta"})
    with house.client() as client:
        found = [each for each in client.get("/admin/api/audit").json()["items"] if each["kind"] == "cache"]
    said = {(each["action"], each["outcome"], each["detail"], each["reason"]) for each in found}
    assert said == {
        ("purge", "done", "org acme, route chat", "wrong answers"),
        ("purge", "denied", "org beta", ""),
    }
