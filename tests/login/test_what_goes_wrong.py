"""Everything that an identity provider's answer can have wrong, and what is said of it."""

from __future__ import annotations

import base64
import hashlib
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from litestar.testing import TestClient

from tests.control.house import House
from tests.login.issuer import CLIENT_ID, WrongIssuer

CONFIG = """\
version: 1
orgs: {{acme: {{teams: {{red: {{}}}}}}}}
auth:
  public_url: http://127.0.0.1:4999
  oidc:
    idp: {{issuer: "{issuer}", client_id: penstock, org: acme, team_claim: team, leeway: 30}}
"""
OTHER = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
with warnings.catch_warnings():
    warnings.simplefilter("ignore", SecurityWarning)
    SHORT = RSAKey.generate_key(1024, {"kid": "k1", "use": "sig"})
Change = Callable[[WrongIssuer], object]


@pytest.fixture
def issuer() -> Iterator[WrongIssuer]:
    """A provider that a test spoils."""
    made = WrongIssuer()
    yield made
    made.close()


@pytest.fixture
def house(tmp_path: Path, issuer: WrongIssuer) -> Iterator[House]:
    """A house that trusts it."""
    made = House(tmp_path, CONFIG.format(issuer=issuer.url))
    yield made
    made.close()


def begin(client: TestClient[Any]) -> dict[str, str]:
    """What the provider is asked for."""
    answer = client.get("/admin/api/login/idp")
    assert answer.status_code == 302, answer.text
    return {name: found[0] for name, found in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def good(house: House, issuer: WrongIssuer, nonce: str) -> dict[str, Any]:
    """What a right ID token claims."""
    now = house.now // 1000
    return {
        "iss": issuer.url, "aud": CLIENT_ID, "sub": "s1", "nonce": nonce, "iat": now, "exp": now + 60,
        "team": ["red"],
    }  # fmt: skip


def finish(house: House, issuer: WrongIssuer, client: Any = None, **query: Any) -> Any:
    """The answer to a browser that comes back."""
    client = client or house.browser()
    asked = begin(client)
    issuer.claims = {**good(house, issuer, asked["nonce"]), **issuer.claims}
    sent = {"state": asked["state"], "code": "a-code", **query}
    return client.get("/admin/api/login/idp/callback", params=sent)


def test_the_request_says_all_that_it_must(house: House, issuer: WrongIssuer) -> None:
    """Code flow with PKCE (S256), state and nonce, each new at every login; the endpoint's own query stays."""
    client = house.browser()
    first, second = begin(client), begin(client)
    assert (first["response_type"], first["code_challenge_method"], first["tenant"]) == ("code", "S256", "a")
    assert first["redirect_uri"] == "http://127.0.0.1:4999/admin/api/login/idp/callback"
    assert first["scope"] == "openid profile email"
    begun = begin(client)
    client.get("/admin/api/login/idp/callback", params={"state": begun["state"], "code": "c"})
    digest = hashlib.sha256(issuer.form["code_verifier"].encode()).digest()
    assert begun["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) == 43
        assert first[name] != second[name]


def test_a_right_answer_lets_in(house: House, issuer: WrongIssuer) -> None:
    """The tests below would prove nothing if nobody were let in."""
    client = house.browser()
    assert finish(house, issuer, client).status_code == 302
    assert client.get("/admin/api/session").json()["user"] == "s1"


def part(said: dict[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")


WRONG: dict[str, tuple[Change, str]] = {
    "audience": (lambda i: i.claims.update(aud="other"), "another client than penstock (aud)"),
    "no audience": (lambda i: i.claims.update(aud=None), "lacks aud"),
    "several audiences": (lambda i: i.claims.update(aud=["penstock", "other"]), "(azp)"),
    "another party": (lambda i: i.claims.update(azp="other"), "(azp)"),
    "issuer": (lambda i: i.claims.update(iss="https://evil.example"), "another issuer's"),
    "nonce": (lambda i: i.claims.update(nonce="n"), "another login (nonce)"),
    "no nonce": (lambda i: i.claims.update(nonce=None), "lacks nonce"),
    "no expiry": (lambda i: i.claims.update(exp=None), "lacks exp"),
    "expiry as text": (lambda i: i.claims.update(exp="soon"), "exp that cannot be read"),
    "no subject": (lambda i: i.claims.update(sub=None), "lacks sub"),
    "a long subject": (lambda i: i.claims.update(sub="s" * 256), "subject that is none"),
    "an access token of others": (lambda i: i.claims.update(at_hash="x" * 22), "(at_hash)"),
    "another key": (lambda i: setattr(i, "signer", OTHER), "signature of its ID token is not its own"),
    "unknown key": (lambda i: i.header.update(kid="k9"), "a key that it does not publish (kid)"),
    "a key's number": (
        lambda i: setattr(i, "token", lambda: f"{part({'alg': 'RS256', 'kid': 9})}.{part({})}.AA"),
        "no text (kid)",
    ),
    "a short key": (lambda i: (setattr(i, "key", SHORT), setattr(i, "published", [SHORT])), "is not its own"),
    "shared secret": (
        lambda i: (setattr(i, "signer", OctKey.import_key("s" * 32)), i.header.update(alg="HS256")),
        "signed with 'HS256'",
    ),
    "no signature": (
        lambda i: setattr(i, "token", lambda: f"{part({'alg': 'none'})}.{part({'sub': 's1'})}."),
        "signed with 'none'",
    ),
    "no token": (lambda i: setattr(i, "token_answer", {"access_token": "a"}), "it gave no ID token"),
    "no JWT": (lambda i: setattr(i, "token_answer", {"id_token": "a.b.c"}), "no signed JWT"),
    "a long token": (lambda i: setattr(i, "token_answer", {"id_token": "a" * 70_000}), "too long"),
    "unknown extensions": (lambda i: i.header.update(crit=["b64"], b64=False), "is not its own"),
    "userinfo of others": (
        lambda i: (i.claims.update(team=None), setattr(i, "userinfo", {"sub": "s2", "team": "red"})),
        "speaks of somebody else",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_believed_lets_nobody_in(house: House, issuer: WrongIssuer, name: str) -> None:
    """Each is refused with its reason, no user is made, and the audit log has it."""
    change, told = WRONG[name]
    change(issuer)
    client = house.browser()
    answer = finish(house, issuer, client)
    assert answer.status_code in {403, 502}, answer.text
    assert told in answer.json()["detail"]
    assert "set-cookie" not in answer.headers
    assert client.get("/admin/api/session").status_code == 401
    assert house.operator().get("/admin/api/users").json()["items"] == []
    entry = house.operator().get("/admin/api/audit?action=login").json()["items"][0]
    assert (entry["actor"], entry["outcome"]) == ("oidc:idp", "denied")


@pytest.mark.parametrize(
    ("claim", "offset_s", "told"),
    [
        ("exp", -29, ""), ("exp", -31, "it has expired"), ("exp", -31, "differ by more than 30 s"),
        ("iat", 29, ""), ("iat", 31, "from the future"), ("nbf", 29, ""), ("nbf", 31, "not valid yet"),
    ],
)  # fmt: skip
def test_clocks_may_differ_a_little(
    house: House, issuer: WrongIssuer, claim: str, offset_s: int, told: str
) -> None:
    """By the leeway, and not by more; then the clocks are named as what to look at."""
    issuer.claims = {claim: house.now // 1000 + offset_s}
    answer = finish(house, issuer)
    assert (answer.status_code == 302) == (not told), answer.text
    assert not told or told.replace("it has", "has") in answer.json()["detail"]


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (RSAKey.generate_key(2048, {"kid": "k1"}), "RS256"),
        (ECKey.generate_key("P-256", {"kid": "k1"}), "ES256"),
        (OKPKey.generate_key("Ed25519", {"kid": "k1"}), "EdDSA"),
    ],
    ids=["rsa", "ec", "ed"],
)
def test_kinds_of_keys(house: House, issuer: WrongIssuer, key: Any, algorithm: str) -> None:
    """Each kind verifies its own algorithms, and no key any other."""
    issuer.key, issuer.published = key, [OTHER, key] if algorithm != "RS256" else [key]
    issuer.header = {"alg": algorithm}
    assert finish(house, issuer).status_code == 302


def test_a_key_without_an_id_is_found(house: House, issuer: WrongIssuer) -> None:
    """A token that names no key is tried with those that fit."""
    issuer.published, issuer.header = [OTHER, issuer.key], {"kid": None}
    assert finish(house, issuer).status_code == 302


def test_an_issuer_that_is_away(house: House, issuer: WrongIssuer) -> None:
    """Nobody logs in, and it is said whose fault it is; one who has begun finishes when it is back."""
    issuer.down = True
    answer = house.browser().get("/admin/api/login/idp")
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_failed")
    assert "answers 503" in answer.json()["detail"]
    issuer.down = False
    client = house.browser()
    assert finish(house, issuer, client).status_code == 302
    # What it publishes is known for a while; its token endpoint must be there.
    issuer.down = True
    assert "token endpoint answers 503" in finish(house, issuer).json()["detail"]
    issuer.down = False
    issuer.server.shutdown()
    issuer.server.server_close()
    assert "does not answer" in finish(house, issuer).json()["detail"]


def test_an_unknown_key_is_asked_for_with_restraint(house: House, issuer: WrongIssuer) -> None:
    """Tokens of invented keys make us ask once in five seconds; the settings are fetched once an hour."""
    assert finish(house, issuer).status_code == 302
    issuer.asked.clear()
    issuer.header = {"kid": "k9"}
    for _ in range(3):
        finish(house, issuer)
    assert issuer.asked.count("/jwks") == 0  # they were fetched a moment ago
    house.web_s += 5.0
    for _ in range(3):
        finish(house, issuer)
    assert issuer.asked.count("/jwks") == 1
    assert issuer.asked.count("/.well-known/openid-configuration") == 0
    house.web_s += 3600.0
    issuer.header, issuer.claims = {}, {}
    assert finish(house, issuer).status_code == 302
    assert issuer.asked.count("/.well-known/openid-configuration") == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"issuer": "https://other.example"}, "calls itself 'https://other.example'"),
        ({"token_endpoint": None}, "name no token_endpoint"),
        ({"jwks_uri": "http://192.0.2.1/keys"}, "must begin with https://"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "must begin with https://"),
    ],
)
def test_settings_that_cannot_be_trusted(
    house: House, issuer: WrongIssuer, settings: dict[str, Any], told: str
) -> None:
    """An issuer must be who it says, and nothing of it may travel in the clear."""
    issuer.settings = settings
    answer = house.browser().get("/admin/api/login/idp")
    assert answer.status_code == 502
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(("iss", "says", "fine"), [
    ("", False, True), ("", True, False), ("own", True, True), ("own", False, True),
    ("https://x.example", False, False),
])  # fmt: skip
def test_an_answer_of_another_issuer(
    house: House,
    issuer: WrongIssuer,
    iss: str,
    says: bool,
    fine: bool,
) -> None:
    """Where answers name their sender (RFC 9207) it must be the one that was asked."""
    issuer.settings = {"authorization_response_iss_parameter_supported": says}
    more = {"iss": issuer.url if iss == "own" else iss} if iss else {}
    answer = finish(house, issuer, **more)
    assert (answer.status_code == 302) == fine, answer.text


def test_an_error_of_the_provider_is_passed_on(house: House, issuer: WrongIssuer) -> None:
    """In one line, bounded, and with the state used up."""
    client = house.browser()
    asked = begin(client)
    sent = {"state": asked["state"], "error": "server_error", "error_description": "a\r\nb" + "x" * 900}
    answer = client.get("/admin/api/login/idp/callback", params=sent)
    assert (answer.status_code, answer.json()["code"]) == (502, "provider_failed")
    assert "server_error: ab" in answer.json()["detail"]
    assert len(answer.json()["detail"]) < 400
    assert client.get("/admin/api/login/idp/callback", params=sent).json()["code"] == "login_state"
    empty = begin(client)
    answer = client.get("/admin/api/login/idp/callback", params={"state": empty["state"]})
    assert "neither a code nor an error" in answer.json()["detail"]
    assert issuer.asked.count("/token") == 0


@pytest.mark.parametrize(
    "then",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/ui\r\nx: y", "/v1/models", "ui", "/uix"],
)
def test_nobody_is_led_elsewhere_afterwards(house: House, then: str) -> None:
    """`next` is a path of the control plane."""
    answer = house.browser().get("/admin/api/login/idp", params={"next": then})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_begun_logins_are_bounded(house: House, issuer: WrongIssuer) -> None:
    """One address cannot fill the database; a finished login forgives those before."""
    client = house.browser()
    answers = [client.get("/admin/api/login/idp").status_code for _ in range(61)]
    assert (answers[:60], answers[60]) == ([302] * 60, 429)
    house.now += 60_000
    assert finish(house, issuer, client).status_code == 302
    assert client.get("/admin/api/login/idp").status_code == 302


def test_over_tls_the_logins_cookie_is_the_hosts_alone(house: House) -> None:
    """And from elsewhere without TLS no login begins."""
    outside = {"x-penstock-client": "192.0.2.9", "x-forwarded-proto": "https"}
    cookie = house.browser().get("/admin/api/login/idp", headers=outside).headers["set-cookie"]
    assert cookie.startswith("__Host-penstock-login=")
    for field in ("Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/"):
        assert f"; {field}" in cookie
    clear = house.browser().get("/admin/api/login/idp", headers={**outside, "x-forwarded-proto": "http"})
    assert clear.json()["code"] == "insecure_transport"


def test_no_secret_is_kept_or_told(house: House, issuer: WrongIssuer) -> None:
    """Neither codes nor tokens stand in the database or the audit log."""
    client = house.browser()
    finish(house, issuer, client, code="a-very-secret-code")
    kept = b"".join(path.read_bytes() for path in house.state.root.glob("control.db*"))
    for secret in ("a-very-secret-code", client.cookies["penstock"], "an-access-token", issuer.token()[-40:]):
        assert secret.encode() not in kept


def test_an_unknown_provider_is_not_found(house: House) -> None:
    """Its name is answered with where providers stand."""
    for path in ("nobody", "nobody/callback"):
        answer = house.browser().get(f"/admin/api/login/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    told = house.browser().get("/admin/api/login").json()
    assert told["providers"] == [{"name": "idp", "title": "idp", "start": "/admin/api/login/idp"}]
