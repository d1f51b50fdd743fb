"""Logging in with a password, over the admin API."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.testing import TestClient

from tests.control.house import House

PASSWORD = "correct horse battery staple"
CSRF = "x-csrf-token"
OUTSIDE = {"x-penstock-client": "192.0.2.9", "x-forwarded-proto": "https"}


def furnish(house: House, role: str = "admin", name: str = "alice") -> None:
    """A person with a role in acme, and a password."""
    house.objects.put(house.owner, "user", "acme", name, {})
    house.objects.put(house.owner, "role_binding", "acme", f"{name}-{role}", {"user": name, "role": role})
    answer = house.client().put(f"/admin/api/orgs/acme/users/{name}/password", json={"password": PASSWORD})
    assert answer.status_code == 200, answer.text


def browser(house: House) -> TestClient[Any]:
    """A client without a credential of its own."""
    client = house.client()
    del client.headers["authorization"]
    return client


def log_in(client: TestClient[Any], name: str = "alice", password: str = PASSWORD, **more: str) -> Any:
    """The answer to a login."""
    return client.post(
        "/admin/api/session", json={"org": "acme", "user": name, "password": password}, headers=more
    )


def test_a_person_works_with_a_cookie_and_ends_it(house: House) -> None:
    """The cookie says who it is, changes need the token against forgery, and logging out ends it."""
    furnish(house)
    client = browser(house)
    assert client.get("/admin/api/whoami").status_code == 401
    answer = log_in(client)
    assert (answer.status_code, answer.json()["name"]) == (201, "user:acme/alice")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert client.get("/admin/api/whoami").json()["grants"] == [{"role": "admin", "org": "acme", "team": ""}]
    path = "/admin/api/orgs/acme/teams/new"
    assert client.put(path, json={}).json()["code"] == "csrf_failed"
    csrf = {CSRF: client.get("/admin/api/session").json()["csrf"]}
    assert client.put(path, json={}, headers={CSRF: "x" * 43}).json()["code"] == "csrf_failed"
    foreign = client.put(path, json={}, headers={**csrf, "sec-fetch-site": "cross-site"})
    assert foreign.json()["code"] == "csrf_failed"
    assert client.put(path, json={}, headers=csrf).status_code == 201
    kept = dict(client.cookies)
    assert client.delete("/admin/api/session", headers=csrf).json()["ended"] == 1
    client.cookies.update(kept)
    assert client.get("/admin/api/whoami").status_code == 401
    told = [entry["action"] for entry in house.client().get("/admin/api/audit?kind=user").json()["items"]]
    assert {"login", "logout", "set_password"} <= set(told)


def test_over_tls_the_cookie_is_the_hosts_alone(house: House) -> None:
    """Behind TLS the cookie is Secure and has the __Host- prefix, and a plain one does not count."""
    furnish(house)
    client = browser(house)
    answer = log_in(client, **OUTSIDE)
    assert answer.headers["set-cookie"].startswith("__Host-penstock=")
    assert answer.headers["set-cookie"].endswith("; Secure")
    token = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    for name, status in (("__Host-penstock", 200), ("penstock", 401)):
        headers = {**OUTSIDE, "cookie": f"{name}={token}"}
        assert browser(house).get("/admin/api/whoami", headers=headers).status_code == status


def test_no_password_travels_in_the_clear(house: House) -> None:
    """From another machine a login over plain HTTP is refused before anything is compared."""
    furnish(house)
    outside = {**OUTSIDE, "x-forwarded-proto": "http"}
    assert log_in(browser(house), **outside).json()["code"] == "insecure_transport"
    assert log_in(browser(house), **{**outside, "x-penstock-client": "127.0.0.1"}).status_code == 201


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong"), ("nobody", PASSWORD), ("bob", PASSWORD), ("", ""), ("a" * 500, "x")],
)
def test_a_failure_says_nothing_of_why(house: House, name: str, password: str) -> None:
    """A wrong name, a wrong password and a person without one are told the same; each is audited."""
    furnish(house)
    house.objects.put(house.owner, "user", "acme", "bob", {})
    answer = log_in(browser(house), name, password)
    assert (answer.status_code, answer.json()["detail"]) == (401, "the name or the password is not right")
    assert "set-cookie" not in answer.headers
    entry = house.client().get("/admin/api/audit?action=login").json()["items"][0]
    assert (entry["outcome"], entry["actor"]) == ("denied", "")


def test_guessing_is_slowed_down(house: House) -> None:
    """After five failures each try waits longer, the right password too; other people are not held up."""
    furnish(house)
    furnish(house, "viewer", "bob")
    client = browser(house)
    assert [log_in(client, password="wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    refused = log_in(client)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert log_in(client, "bob").status_code == 201
    house.now += 1_000
    assert log_in(client, password="wrong").status_code == 401
    house.now += 1_000
    assert log_in(client).headers["retry-after"] == "1"  # it has doubled
    house.now += 1_000
    assert log_in(client).status_code == 201
    assert log_in(client).status_code == 201  # and is forgotten


def test_many_addresses_do_not_help_a_guesser_nor_lock_a_person_out(house: House) -> None:
    """An account has a bound over all addresses, whose longest wait is half a minute."""
    furnish(house)
    client = browser(house)
    for number in range(60):
        house.now += 1
        log_in(client, password="wrong", **{**OUTSIDE, "x-penstock-client": f"2001:db8::{number:x}"})
    answer = log_in(client, **OUTSIDE)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 30
    house.now += 30_000
    assert log_in(client, **OUTSIDE).status_code == 201


def test_sessions_end_by_themselves(tmp_path: Any) -> None:
    """After the idle time without a request, and after the absolute time in any case."""
    config = "version: 1\nauth: {session: {idle: 1h, absolute: 3h}}\norgs: {acme: {}}\n"
    house = House(tmp_path, config)
    try:
        furnish(house)
        client = browser(house)
        log_in(client)
        for _ in range(3):
            house.now += 50 * 60_000
            assert client.get("/admin/api/whoami").status_code == 200
        house.now += 31 * 60_000
        assert client.get("/admin/api/whoami").status_code == 401
        log_in(client)
        house.now += 61 * 60_000
        ended = client.get("/admin/api/whoami")
        assert (ended.status_code, "this session has ended" in ended.json()["detail"]) == (401, True)
    finally:
        house.close()


def test_a_new_password_ends_the_other_sessions(house: House) -> None:
    """One's own password needs the one before; whoever else is logged in as this person is not any more."""
    furnish(house)
    one, two = browser(house), browser(house)
    csrf = {CSRF: log_in(one).json()["csrf"]}
    log_in(two)
    path = "/admin/api/orgs/acme/users/alice/password"
    new = {"password": "another long password"}
    assert one.put(path, json=new, headers=csrf).json()["code"] == "login_failed"
    assert one.put(path, json={**new, "current": PASSWORD}, headers=csrf).json()["ended"] == 1
    assert [client.get("/admin/api/whoami").status_code for client in (one, two)] == [200, 401]
    assert log_in(two).status_code == 401
    assert log_in(two, password="another long password").status_code == 201
    assert len(one.get("/admin/api/orgs/acme/users/alice/sessions").json()["items"]) == 2
    assert one.delete("/admin/api/session?everywhere=true", headers=csrf).json()["ended"] == 2
    assert two.get("/admin/api/whoami").status_code == 401


def test_who_goes_takes_logins_along(house: House) -> None:
    """A deleted person's session and password are gone, for a new person of the same name, too."""
    furnish(house)
    client = browser(house)
    log_in(client)
    house.objects.delete(house.owner, "user", "acme", "alice", cascade=True)
    assert client.get("/admin/api/whoami").status_code == 401
    house.now += 1
    house.objects.put(house.owner, "user", "acme", "alice", {})
    assert client.get("/admin/api/whoami").status_code == 401
    assert log_in(client).status_code == 401


@pytest.mark.parametrize(
    ("role", "team", "status"),
    [
        ("owner", None, 200),
        ("admin", None, 403),
        ("member", None, 403),
        ("admin", "red", 404),
        ("viewer", None, 403),
    ],
)
def test_only_who_could_act_for_a_person_sets_a_password(
    house: House, role: str, team: str | None, status: int
) -> None:
    """An admin may not become an owner by setting an owner's password; a refusal is in the audit log."""
    furnish(house, "owner")
    client = house.client(house.member("acme", "robot", role, team))
    for method, path, body in (
        ("PUT", "password", {"password": PASSWORD}),
        ("DELETE", "sessions", None),
        ("DELETE", "password", None),
    ):
        answer = client.request(method, f"/admin/api/orgs/acme/users/alice/{path}", json=body)
        assert answer.status_code == status, (path, answer.text)
    if status == 403:
        found = house.client().get("/admin/api/audit?outcome=denied&kind=user").json()["items"]
        assert found[0]["name"] == "alice"


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 300, ""])
def test_bad_passwords_are_not_taken(house: House, password: str) -> None:
    """Too short, too long, or hardly more than one sign."""
    furnish(house)
    answer = house.client().put("/admin/api/orgs/acme/users/alice/password", json={"password": password})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_no_secret_is_kept_or_told(house: House) -> None:
    """Neither the password nor a token stands in the database, and the audit log has no trace of them."""
    furnish(house)
    answer = log_in(browser(house))
    token = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    kept = b"".join(path.read_bytes() for path in house.state.root.glob("control.db*"))
    for secret in (PASSWORD, token, answer.json()["csrf"]):
        assert secret.encode() not in kept
    assert PASSWORD not in house.client().get("/admin/api/audit").text


def test_passwords_can_be_switched_off(tmp_path: Any) -> None:
    """Then nobody logs in with one, and the list of ways says so."""
    house = House(tmp_path, "version: 1\nauth: {passwords: false}\norgs: {acme: {}}\n")
    try:
        furnish(house)
        assert log_in(browser(house)).json()["code"] == "forbidden"
        assert browser(house).get("/admin/api/login").json() == {"password": False, "providers": []}
    finally:
        house.close()
