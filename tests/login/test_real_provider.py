"""Logging in at a real OpenID provider (npm's oidc-provider), as a browser would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from litestar.testing import TestClient

from tests.control.house import House
from tests.login.provider import CLIENT_ID, SECRET, RealProvider, elliptic_keys, signing_keys

PUBLIC = "http://127.0.0.1:4999"
BACK = f"{PUBLIC}/admin/api/login/staff/callback"
PEOPLE: dict[str, dict[str, Any]] = {
    "00u1": {
        "email": "ann@acme.example", "email_verified": True, "preferred_username": "ann",
        "groups": ["/eng/search", "/eng/ads", "/canteen"], "realm_access": {"roles": ["gateway-admins"]},
    },
    "00u2": {"email": "bob@acme.example", "email_verified": False, "preferred_username": "bob", "groups": []},
    "00u3": {"preferred_username": "cleo", "groups": ["/eng/search"]},
}  # fmt: skip
CONFIG = """\
version: 1
providers: {{sim: {{kind: simulator}}}}
orgs: {{acme: {{teams: {{search: {{}}, ads: {{}}, hidden: {{}}}}}}, beta: {{}}}}
auth:
  public_url: {public}
  oidc:
    staff:
      issuer: "{issuer}"
      client_id: {client}
      client_secret: "{secret}"
      org: acme
      scopes: [openid, profile, email, groups]
      user_claim: preferred_username
      roles: [{{claim: realm_access.roles, value: gateway-admins, role: admin}}]
      team_claim: groups
      teams: {{/eng/search: search, /eng/ads: ads}}
      {more}
"""
Furnish = Callable[..., House]


@pytest.fixture(scope="module")
def provider() -> Iterator[RealProvider]:
    """One provider for the module."""
    with RealProvider() as running:
        yield running


@pytest.fixture
def furnish(provider: RealProvider, tmp_path: Path) -> Iterator[Furnish]:
    """Makes a house whose people log in at the provider."""
    made: list[House] = []

    def make(more: str = "", secret: str = SECRET) -> House:
        config = CONFIG.format(public=PUBLIC, issuer=provider.url, client=CLIENT_ID, secret=secret, more=more)
        house = House(tmp_path, config)
        house.now = int(time.time() * 1000)  # noqa: TID251 - the provider has the real time
        made.append(house)
        return house

    provider.configure(BACK, PEOPLE)
    yield make
    for house in made:
        house.close()


def way_back(client: TestClient[Any], provider: RealProvider, name: str, path: str = "") -> str:
    """Begin a login and finish it at the provider; the path and query to which it sends the browser."""
    begun = client.get(f"/admin/api/login/staff{path}")
    assert begun.status_code == 302, begun.text
    back = urlsplit(provider.log_in(begun.headers["location"], name, BACK))
    return f"{back.path}?{back.query}"


def log_in(house: House, provider: RealProvider, name: str) -> tuple[TestClient[Any], Any]:
    """A browser that has logged in, and the last answer."""
    client = house.browser()
    return client, client.get(way_back(client, provider, name))


def test_a_person_logs_in_and_is_who_the_claims_say(furnish: Furnish, provider: RealProvider) -> None:
    """Roles and teams come from the claims, the user is made, and the audit log tells it all."""
    house = furnish()
    client = house.browser()
    answer = client.get(way_back(client, provider, "00u1", "?next=/ui/keys?org=acme"))
    assert (answer.status_code, answer.headers["location"]) == (302, "/ui/keys?org=acme")
    assert answer.headers["cache-control"] == "no-store"
    session = client.get("/admin/api/session").json()
    assert session["name"] == "user:acme/ann"
    assert sorted((one["role"], one["org"], one["team"]) for one in session["grants"]) == [
        ("admin", "acme", ""), ("member", "acme", "ads"), ("member", "acme", "search"),
    ]  # fmt: skip
    user = house.operator().get("/admin/api/orgs/acme/users/ann").json()
    assert (user["spec"], user["managed_by"]) == (
        {"teams": ["ads", "search"], "email": "ann@acme.example"}, "api",
    )  # fmt: skip
    entries = house.operator().get("/admin/api/audit?kind=user").json()["items"]
    login = next(entry for entry in entries if entry["action"] == "login")
    assert (login["actor"], login["outcome"]) == ("user:acme/ann", "done")
    assert "oidc:staff; admin of acme" in login["detail"]
    assert "'/canteen'" in login["detail"]
    assert next(entry["actor"] for entry in entries if entry["action"] == "create") == "oidc:staff"
    assert client.put(
        "/admin/api/orgs/acme/teams/new", json={}, headers={"x-csrf-token": session["csrf"]}
    ).status_code == 201  # fmt: skip


def test_the_second_login_is_the_same_user_whatever_they_are_called(
    furnish: Furnish, provider: RealProvider
) -> None:
    """The subject decides; teams follow the claims, and a new e-mail address or name changes nothing."""
    house = furnish()
    log_in(house, provider, "00u1")
    moved = {**PEOPLE["00u1"], "preferred_username": "ann2", "groups": ["/eng/ads"]}
    provider.configure(BACK, {**PEOPLE, "00u1": moved})
    client, _ = log_in(house, provider, "00u1")
    assert client.get("/admin/api/session").json()["user"] == "ann"
    user = house.operator().get("/admin/api/orgs/acme/users/ann").json()
    assert user["spec"]["teams"] == ["ads"]
    head = house.head()
    log_in(house, provider, "00u1")
    assert house.head() == head  # nothing was new


def test_claims_may_come_in_the_id_token(furnish: Furnish, provider: RealProvider) -> None:
    """Where the provider puts them there, nobody else is asked."""
    provider.configure(BACK, PEOPLE, in_id_token=True)
    client, _ = log_in(furnish(), provider, "00u1")
    assert len(client.get("/admin/api/session").json()["grants"]) == 3


def test_a_member_sees_their_teams_alone(furnish: Furnish, provider: RealProvider) -> None:
    """A role in a team reaches neither other teams nor the other organisation."""
    house = furnish()
    client, _ = log_in(house, provider, "00u3")
    assert client.get("/admin/api/orgs/acme/teams/search").status_code == 200
    for path in ("acme/teams/hidden", "beta/teams/search"):
        assert client.get(f"/admin/api/orgs/{path}").status_code == 404
    assert client.get("/admin/api/providers").json()["items"] == []


def test_somebody_without_a_role_is_not_let_in(furnish: Furnish, provider: RealProvider) -> None:
    """Neither claims nor bindings: no user is made; a binding lets the same person in."""
    house = furnish()
    _, answer = log_in(house, provider, "00u2")
    assert (answer.status_code, answer.json()["code"]) == (403, "login_refused")
    assert "nothing gives you a role here" in answer.json()["detail"]
    assert house.operator().get("/admin/api/orgs/acme/users/bob").status_code == 404
    house.objects.put(house.owner, "user", "acme", "bob", {})
    house.objects.put(house.owner, "role_binding", "acme", "b", {"user": "bob", "role": "viewer"})
    client, answer = log_in(house, provider, "00u2")
    assert answer.status_code == 302
    user = house.operator().get("/admin/api/orgs/acme/users/bob").json()
    assert user["spec"] == {"teams": []}  # an address that nobody has verified is not kept
    assert client.get("/admin/api/session").json()["grants"] == [{"role": "viewer", "org": "acme", "team": ""}]


def test_who_logs_in_otherwise_is_not_taken_over(furnish: Furnish, provider: RealProvider) -> None:
    """A user with a password, or linked to another subject, stays theirs until an administrator says so."""
    house = furnish()
    operator = house.operator()
    house.objects.put(house.owner, "user", "acme", "ann", {})
    path = "/admin/api/orgs/acme/users/ann"
    operator.put(f"{path}/password", json={"password": "correct horse battery staple"})
    _, answer = log_in(house, provider, "00u1")
    assert "penstock users password ann --org acme --remove" in answer.json()["detail"]
    operator.delete(f"{path}/password")
    assert log_in(house, provider, "00u1")[1].status_code == 302
    provider.configure(BACK, {**PEOPLE, "00u3": {**PEOPLE["00u3"], "preferred_username": "ann"}})
    _, answer = log_in(house, provider, "00u3")
    assert "penstock users unlink ann --org acme" in answer.json()["detail"]
    assert operator.get(f"{path}/identities").json() == {"items": [{"issuer": provider.url, "subject": "00u1"}]}
    assert operator.delete(f"{path}/identities").json()["ended"] == 1
    assert log_in(house, provider, "00u3")[1].status_code == 302


@pytest.mark.parametrize(
    ("more", "name", "told"),
    [
        ("create: false", "00u1", "logging in makes none"),
        ("unknown_teams: refuse", "00u1", "'/canteen'"),
    ],
)
def test_who_is_let_in_is_configured(
    furnish: Furnish, provider: RealProvider, more: str, name: str, told: str
) -> None:
    """Users need not be made, and a claim that names no team may keep its bearer out."""
    _, answer = log_in(furnish(more), provider, name)
    assert answer.json()["code"] == "login_refused"
    assert told in answer.json()["detail"]


def test_an_address_must_be_verified_to_be_a_name(furnish: Furnish, provider: RealProvider) -> None:
    """`user_claim: email` takes what the provider vouches for alone."""
    house = furnish("create: true")
    house.config.write_text(house.config.read_text().replace("preferred_username", "email"))
    house.plane.take_file()
    assert log_in(house, provider, "00u1")[0].get("/admin/api/session").json()["user"] == "ann@acme.example"
    _, answer = log_in(house, provider, "00u2")
    assert "has not verified your e-mail address" in answer.json()["detail"]
    _, answer = log_in(house, provider, "00u3")
    assert "gives no claim 'email'" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_each_way_to_be_a_client(furnish: Furnish, provider: RealProvider, method: str) -> None:
    """Our secret goes as the provider wants it; without one we are a public client, by PKCE alone."""
    more: dict[str, Any] = {"token_endpoint_auth_method": method}
    if method == "none":
        more["client_secret"] = None
    provider.configure(BACK, PEOPLE, **more)
    house = furnish()
    if method == "none":
        house.config.write_text(house.config.read_text().replace("client_secret", "# client_secret"))
        house.plane.take_file()
    client, answer = log_in(house, provider, "00u1")
    assert answer.status_code == 302, answer.text
    assert client.get("/admin/api/session").status_code == 200


def test_a_wrong_secret_is_named(furnish: Furnish, provider: RealProvider) -> None:
    """The refusal says which settings to look at, and does not tell the secret."""
    _, answer = log_in(furnish(secret="wrong-secret"), provider, "00u1")
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_failed")
    assert "look at client_id and client_secret" in answer.json()["detail"]
    assert "wrong-secret" not in answer.text


def test_keys_rotate(furnish: Furnish, provider: RealProvider) -> None:
    """A key that was not known is asked for at the login that has it, of another kind, too."""
    house = furnish()
    assert log_in(house, provider, "00u1")[1].status_code == 302
    try:
        provider.jwks = signing_keys("second")
        provider.configure(BACK, PEOPLE)
        house.web_s += 5.0
        assert log_in(house, provider, "00u1")[1].status_code == 302
        provider.jwks = elliptic_keys("third")
        provider.configure(BACK, PEOPLE, id_token_signed_response_alg="ES256")
        house.web_s += 5.0
        assert log_in(house, provider, "00u1")[1].status_code == 302
    finally:
        provider.jwks = signing_keys("first")


def test_an_answer_is_good_once_in_its_own_browser(furnish: Furnish, provider: RealProvider) -> None:
    """Replayed, in another browser, or with another state it lets nobody in."""
    house = furnish()
    client = house.browser()
    path = way_back(client, provider, "00u1")
    stranger = house.browser()
    stolen = stranger.get(path)
    assert (stolen.status_code, stolen.json()["code"]) == (400, "login_state")
    assert "another browser" in stolen.json()["detail"]
    # Whoever tried it has used it up, for everybody.
    assert client.get(path).json()["code"] == "login_state"
    path = way_back(client, provider, "00u1")
    assert client.get(path).status_code == 302
    assert client.get(path).json()["code"] == "login_state"
    code = parse_qs(urlsplit(way_back(client, provider, "00u1")).query)["code"][0]
    for state in ("", "x" * 43, "short"):
        answer = client.get("/admin/api/login/staff/callback", params={"code": code, "state": state})
        assert answer.json()["code"] == "login_state"


def test_a_code_belongs_to_its_login(furnish: Furnish, provider: RealProvider) -> None:
    """Another login's code, put into one's own answer, is refused by the provider (PKCE)."""
    house = furnish()
    victim, thief = house.browser(), house.browser()
    stolen = parse_qs(urlsplit(way_back(victim, provider, "00u1")).query)["code"][0]
    own = parse_qs(urlsplit(way_back(thief, provider, "00u3")).query)
    answer = thief.get(
        "/admin/api/login/staff/callback",
        params={"code": stolen, "state": own["state"][0], "iss": provider.url},
    )
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_failed")
    assert "invalid_grant" in answer.json()["detail"]


def test_two_tabs_finish_both(furnish: Furnish, provider: RealProvider) -> None:
    """A second login of the same browser does not spoil the first."""
    client = furnish().browser()
    first = way_back(client, provider, "00u1")
    second = way_back(client, provider, "00u1")
    assert [client.get(path).status_code for path in (first, second)] == [302, 302]


def test_a_login_that_takes_too_long_is_over(furnish: Furnish, provider: RealProvider) -> None:
    """After ten minutes the answer comes too late."""
    house = furnish()
    client = house.browser()
    path = way_back(client, provider, "00u1")
    house.now += 600_000
    assert "10 minutes" in client.get(path).json()["detail"]


def test_leaving_leads_to_the_provider(furnish: Furnish, provider: RealProvider) -> None:
    """Logging out ends the session here, and says where it ends there; closing the way in ends all of them."""
    house = furnish()
    client, _ = log_in(house, provider, "00u1")
    csrf = {"x-csrf-token": client.get("/admin/api/session").json()["csrf"]}
    answer = client.delete("/admin/api/session", headers=csrf).json()
    assert answer["logout_url"].startswith(f"{provider.url}/session/end?client_id={CLIENT_ID}&")
    assert client.get("/admin/api/session").status_code == 401
    client, _ = log_in(house, provider, "00u1")
    assert client.get("/admin/api/session").status_code == 200
    house.config.write_text(house.config.read_text().replace("    staff:", "    others:"))
    house.plane.take_file()
    assert client.get("/admin/api/session").status_code == 401


def test_a_login_replaces_the_one_before(furnish: Furnish, provider: RealProvider) -> None:
    """In one browser the session before ends, so that nobody gives others a session of theirs to use."""
    house = furnish()
    client, _ = log_in(house, provider, "00u1")
    before = client.cookies["penstock"]
    client.get(way_back(client, provider, "00u3"))
    assert client.get("/admin/api/session").json()["user"] == "cleo"
    assert client.cookies["penstock"] != before
    other = house.browser()
    other.cookies.set("penstock", before)
    assert other.get("/admin/api/session").status_code == 401


def test_a_person_who_says_no_is_told_so(furnish: Furnish) -> None:
    """What the provider says is passed on in one line, as text, on a page without scripts."""
    house = furnish()
    client = house.browser()
    begun = client.get("/admin/api/login/staff")
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    said = {"state": state, "error": "access_denied", "error_description": "<script>alert(1)</script>\n"}
    page = client.get("/admin/api/login/staff/callback", params=said, headers={"accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 403
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text
