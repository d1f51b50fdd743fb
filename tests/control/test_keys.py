"""Virtual keys: shown once, stored as hashes, rotated with an overlap, revoked for good."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from penstock.compile.plan import compile_plan
from penstock.control.problems import Denied
from penstock.core.plan import Plan
from penstock.core.price_book import PriceBook
from tests.control.house import House


def plan(house: House) -> Plan:
    """What a gateway would serve with."""
    return compile_plan(
        house.published, revision="r", prices=PriceBook("none", {}), reveal=lambda secret: secret.resolve({}),
        urls={"simulator": "http://127.0.0.1:9/v1"}, now_ms=house.now,
    )  # fmt: skip


def digest(secret: str) -> bytes:
    """How a gateway looks a secret up."""
    return hashlib.sha256(secret.encode()).digest()


def test_a_secret_is_shown_once_and_kept_as_a_hash(house: House) -> None:
    """The answer to its creation has it; nothing that can be read later has."""
    with house.client() as client:
        made = client.post("/admin/api/keys", json={"name": "k", "org": "acme", "spec": {"routes": ["echo"]}})
        secret = made.json()["secret"]
        assert made.status_code == 201
        assert secret.startswith("sk-penstock-")
        assert len(secret) > 50
        answers = [
            client.get(path).text
            for path in (
                "/admin/api/keys", "/admin/api/orgs/acme/keys/k", "/admin/api/revisions/2", "/admin/api/audit",
                "/admin/api/audit/export",
            )
        ]  # fmt: skip
        again = client.put("/admin/api/orgs/acme/keys/k", json={"routes": ["echo"]})
    assert not any(secret in answer for answer in answers)
    assert "secret" not in again.json()
    assert again.status_code == 200
    assert made.json()["secret_prefix"] == secret[:17]
    assert plan(house).keys[digest(secret)].id == "acme:k"
    house.close()
    for path in house.state.root.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_a_put_makes_a_key_and_then_changes_it(house: House) -> None:
    """The secret stays the same while what it may do changes."""
    _, secret, _ = house.keys.put(house.owner, "acme", "k", {"routes": ["echo"]})
    assert secret is not None
    before = plan(house).keys[digest(secret)]
    _, again, _ = house.keys.put(house.owner, "acme", "k", {"routes": ["echo"], "max_tokens": 10})
    after = plan(house).keys[digest(secret)]
    assert (again, before.bounds, after.bounds and after.bounds.max_tokens) == (None, None, 10)
    with pytest.raises(Denied) as refused:
        house.keys.create(house.owner, "acme", "k", {})
    assert refused.value.code == "already_exists"


def test_both_secrets_work_while_a_rotation_overlaps(house: House) -> None:
    """The old one until its end, and no longer; the accounts of the key are the same."""
    _, old, _ = house.keys.create(house.owner, "acme", "k", {"expires_at": "2040-01-01"})
    item, new, _ = house.keys.rotate(house.owner, "acme", "k", overlap_s=3600)
    keys = plan(house).keys
    first, second = keys[digest(old)], keys[digest(new)]
    assert (first.id, first.accounts) == (second.id, second.accounts)
    assert first.bounds is not None
    assert first.bounds.expires_ms == house.now + 3_600_000
    assert second.bounds is not None
    assert (second.bounds.expires_ms or 0) > house.now + 3_600_000
    assert item.version == 3
    house.now += 3_600_001
    _, newest, _ = house.keys.rotate(house.owner, "acme", "k", overlap_s=60)
    assert digest(old) not in plan(house).keys
    assert digest(newest) in plan(house).keys


def test_a_rotation_without_overlap_ends_the_old_secrets_at_once(house: House) -> None:
    """Also those from rotations before, which is what one wants after a leak."""
    _, first, _ = house.keys.create(house.owner, "acme", "k", {})
    _, second, _ = house.keys.rotate(house.owner, "acme", "k")
    _, third, _ = house.keys.rotate(house.owner, "acme", "k", overlap_s=0)
    keys = plan(house).keys
    assert [digest(secret) in keys for secret in (first, second, third)] == [False, False, True]


def test_too_many_secrets_at_once_are_refused(house: House) -> None:
    """A rotation every minute with a long overlap would leave many working secrets."""
    house.keys.create(house.owner, "acme", "k", {})
    for _ in range(4):
        house.keys.rotate(house.owner, "acme", "k")
    with pytest.raises(Denied, match="overlap_s=0"):
        house.keys.rotate(house.owner, "acme", "k")


def test_a_revoked_key_opens_nothing_for_good(house: House) -> None:
    """None of its secrets works, it stays in the list, and cannot be rotated back to life."""
    _, old, _ = house.keys.create(house.owner, "acme", "k", {})
    _, new, _ = house.keys.rotate(house.owner, "acme", "k")
    item, applied = house.keys.revoke(house.owner, "acme", "k", reason="leaked")
    assert applied.changed
    assert not {digest(old), digest(new)} & set(plan(house).keys)
    assert house.keys.revoke(house.owner, "acme", "k")[1].changed is False
    with pytest.raises(Denied) as refused:
        house.keys.rotate(house.owner, "acme", "k")
    assert refused.value.code == "key_revoked"
    house.keys.put(house.owner, "acme", "k", {"routes": ["echo"]})
    assert digest(new) not in plan(house).keys
    assert item.body["$state"] == "revoked"


def test_a_key_of_the_file_is_read_only_here(house: House) -> None:
    """It is listed, and changed where it stands."""
    for change in (
        lambda: house.keys.put(house.owner, "acme", "filed", {}),
        lambda: house.keys.rotate(house.owner, "acme", "filed"),
        lambda: house.keys.revoke(house.owner, "acme", "filed"),
    ):
        with pytest.raises(Denied) as refused:
            change()
        assert refused.value.code == "managed_by_file"


def test_what_a_key_may_do_is_checked(house: House) -> None:
    """Routes, teams, endpoints, networks and moments that are none, and secrets of one's own, are refused."""
    specs: list[dict[str, Any]] = [
        {"routes": ["nowhere"]}, {"team": "blue"}, {"endpoints": ["chatt"]}, {"dialects": ["morse"]},
        {"networks": ["10.0.0.0/33"]}, {"networks": []}, {"expires_at": "tomorrow"}, {"max_tokens": 0},
        {"secret": "sk-mine"}, {"previous": []}, {"service_account": "nobody"}, {"admin_api": True},
        {"user": "a", "service_account": "b"}, {"nonsense": 1},
    ]  # fmt: skip
    for spec in specs:
        with pytest.raises(Denied) as refused:
            house.keys.create(house.owner, "acme", "k", spec)
        assert refused.value.code == "config_invalid", spec
    assert house.head() == 1


def test_a_key_that_administers_acts_for_its_owner(house: House) -> None:
    """It has the roles of its service account, until it is revoked or expires."""
    secret = house.member("acme", "ci", "admin")
    with house.client(secret) as client:
        who = client.get("/admin/api/whoami").json()
        assert (who["name"], who["grants"]) == (
            "service-account:acme/ci", [{"role": "admin", "org": "acme", "team": ""}],
        )  # fmt: skip
        house.keys.put(
            house.owner, "acme", "ci-key",
            {"service_account": "ci", "admin_api": True, "expires_at": "2030-04-01"},
        )  # fmt: skip
        assert client.get("/admin/api/whoami").status_code == 200
        house.now += 366 * 86_400_000
        assert client.get("/admin/api/whoami").status_code == 401
        house.now -= 366 * 86_400_000
        house.keys.revoke(house.owner, "acme", "ci-key")
        assert client.get("/admin/api/whoami").status_code == 401


def test_an_ordinary_key_does_not_open_the_admin_api(house: House) -> None:
    """A secret that sits in an application administers nothing."""
    _, secret, _ = house.keys.create(house.owner, "acme", "app", {})
    for token in (secret, "sk-filed"):
        with house.client(token) as client:
            assert client.get("/admin/api/whoami").status_code == 401
