"""An identity provider that logs somebody out (Back-Channel Logout 1.0): a real one, and wrong ones."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from litestar.testing import TestClient

from tests.control.house import House
from tests.login.issuer import CLIENT_ID, WrongIssuer
from tests.login.provider import CLIENT_ID as REAL_CLIENT
from tests.login.provider import SECRET, RealProvider

PUBLIC = "http://127.0.0.1:4999"
BACK = f"{PUBLIC}/admin/api/login/staff/callback"
PATH = "/admin/api/login/{}/logout"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
CONFIG = """\
version: 1
orgs: {{acme: {{teams: {{red: {{}}}}}}}}
auth:
  public_url: {public}
  oidc:
    {name}: {{issuer: "{issuer}", client_id: penstock, org: acme, team_claim: {team}{more}}}
"""
FORM = {"content-type": "application/x-www-form-urlencoded"}


class Forwarding:
    """A real address for the house's back channel; `answers` are what it gave."""

    def __init__(self) -> None:
        self.house: House | None = None
        self.answers: Queue[int] = Queue()
        outer = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert outer.house is not None
                kind = {"content-type": self.headers["content-type"]}
                answer = outer.house.browser().post(self.path, content=body, headers=kind)
                outer.answers.put(answer.status_code)
                self.send_response(answer.status_code)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def forwarding() -> Iterator[Forwarding]:
    """One for the test."""
    made = Forwarding()
    yield made
    made.close()


def is_in(client: TestClient[Any]) -> bool:
    """Whether a browser is logged in here."""
    return client.get("/admin/api/session").status_code == 200


@pytest.mark.parametrize("by_session", [True, False])
def test_a_logout_at_the_provider_is_one_here(tmp_path: Path, forwarding: Forwarding, by_session: bool) -> None:
    """oidc-provider tells us: with its session id that session ends, without one all sessions of the person."""
    with RealProvider() as provider:
        more = f', client_secret: "{SECRET}", scopes: [openid, groups]'
        text = CONFIG.format(public=PUBLIC, issuer=provider.url, name="staff", team="groups", more=more)
        house = House(tmp_path, text)
        forwarding.house = house
        house.now = int(time.time() * 1000)  # noqa: TID251 - the provider has the real time
        provider.configure(
            BACK,
            {"00u1": {"groups": ["red"]}, "00u2": {"groups": ["red"]}},
            in_id_token=True,
            backchannel_logout_uri=forwarding.url + PATH.format("staff"),
            backchannel_logout_session_required=by_session,
        )

        def come_in(name: str) -> tuple[httpx.Client, TestClient[Any]]:
            there, here = httpx.Client(timeout=30), house.browser()
            begun = here.get("/admin/api/login/staff")
            back = urlsplit(provider.log_in(begun.headers["location"], name, BACK, there))
            assert here.get(f"{back.path}?{back.query}").status_code == 302
            return there, here

        laptop_there, laptop = come_in("00u1")
        phone_there, phone = come_in("00u1")
        other_there, other = come_in("00u2")
        assert (is_in(laptop), is_in(phone), is_in(other)) == (True, True, True)
        provider.log_out(laptop_there)
        assert forwarding.answers.get(timeout=30) == 200
        assert (is_in(laptop), is_in(phone), is_in(other)) == (False, by_session, True)
        entries = house.operator().get("/admin/api/audit?kind=user").json()["items"]
        logout = next(entry for entry in entries if entry["action"] == "logout")
        assert logout["actor"] == "oidc:staff"
        for each in (laptop_there, phone_there, other_there):
            each.close()
        house.close()
    assert REAL_CLIENT == CLIENT_ID


@pytest.fixture
def issuer() -> Iterator[WrongIssuer]:
    """A provider that a test spoils."""
    made = WrongIssuer()
    yield made
    made.close()


@pytest.fixture
def house(tmp_path: Path, issuer: WrongIssuer) -> Iterator[House]:
    """A house that trusts it."""
    made = House(tmp_path, CONFIG.format(public=PUBLIC, issuer=issuer.url, name="idp", team="team", more=""))
    yield made
    made.close()


def come_in(house: House, issuer: WrongIssuer, sid: str | None = "s-1") -> TestClient[Any]:
    """Somebody (subject `s1`) logs in; the provider calls its session `sid`."""
    client = house.browser()
    asked = parse_qs(urlsplit(client.get("/admin/api/login/idp").headers["location"]).query)
    now_s = house.now // 1000
    claims = {"iss": issuer.url, "aud": CLIENT_ID, "sub": "s1", "iat": now_s, "exp": now_s + 60, "team": "red"}
    issuer.claims = claims | {"nonce": asked["nonce"][0]} | ({"sid": sid} if sid is not None else {})
    back = {"state": asked["state"][0], "code": "c"}
    assert client.get(f"/admin/api/login/idp/callback?{urlencode(back)}").status_code == 302
    return client


def good(house: House, issuer: WrongIssuer) -> dict[str, Any]:
    """The claims of a logout token as they should be."""
    now_s = house.now // 1000
    return {
        "iss": issuer.url, "aud": CLIENT_ID, "iat": now_s, "exp": now_s + 120, "jti": "j1", "sub": "s1",
        "sid": "s-1", "events": {EVENT: {}},
    }  # fmt: skip


def tell(house: House, issuer: WrongIssuer, claims: dict[str, Any], key: Any = None, **header: Any) -> Any:
    """Send a logout token."""
    known = {"alg": "RS256", "kid": "k1", "typ": "logout+jwt", **header}
    token = jwt.encode(known, {k: v for k, v in claims.items() if v is not None}, key or issuer.key)
    return house.browser().post(PATH.format("idp"), content=urlencode({"logout_token": token}), headers=FORM)


Names = tuple[str | None, str | None]


@pytest.mark.parametrize(
    ("kept", "named", "stays"),
    [
        ("s-1", ("s1", "s-1"), False),
        ("s-1", (None, "s-1"), False),
        ("s-1", ("s1", None), False),
        ("s-1", ("s1", "s-2"), True),
        ("s-1", ("s2", "s-1"), True),
        ("s-1", ("s2", None), True),
        (None, ("s1", "s-1"), False),
        (None, (None, "s-1"), True),
    ],
)
def test_which_sessions_end(
    house: House, issuer: WrongIssuer, kept: str | None, named: Names, stays: bool
) -> None:
    """The named session, all of a subject, and those of a subject whose sessions the provider never named."""
    client = come_in(house, issuer, kept)
    answer = tell(house, issuer, good(house, issuer) | {"sub": named[0], "sid": named[1]})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert is_in(client) is stays


Change = Callable[[dict[str, Any]], dict[str, Any]]
WRONG: list[tuple[str, Change, str]] = [
    ("issuer", lambda c: c | {"iss": "https://other.example"}, "iss"),
    ("audience", lambda c: c | {"aud": "another"}, "aud"),
    ("old", lambda c: c | {"iat": c["iat"] - 400, "exp": c["exp"]}, "iat"),
    ("expired", lambda c: c | {"iat": c["iat"] - 200, "exp": c["iat"] - 100}, "exp"),
    ("future", lambda c: c | {"iat": c["iat"] + 400, "exp": c["exp"] + 400}, "iat"),
    ("no event", lambda c: c | {"events": {}}, "events"),
    ("event of another kind", lambda c: c | {"events": {EVENT: "yes"}}, "events"),
    ("no events", lambda c: c | {"events": None}, "events"),
    ("nonce", lambda c: c | {"nonce": "n"}, "nonce"),
    ("nobody", lambda c: c | {"sub": None, "sid": None}, "sub, sid"),
    ("no id", lambda c: c | {"jti": None}, "jti"),
    ("no time", lambda c: c | {"iat": None}, "iat"),
    ("no end", lambda c: c | {"exp": None}, "exp"),
    ("odd subject", lambda c: c | {"sub": ["s1"]}, "sub"),
]


@pytest.mark.parametrize(("change", "said"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_ends_nothing(house: House, issuer: WrongIssuer, change: Change, said: str) -> None:
    """Each rule of section 2.6; the answer says which, in the form of section 2.8."""
    client = come_in(house, issuer)
    answer = tell(house, issuer, change(good(house, issuer)))
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert said in answer.json()["error_description"]
    assert is_in(client)


def test_only_the_providers_key_counts(house: House, issuer: WrongIssuer) -> None:
    """Another key, another type, and an ID token are not believed."""
    client = come_in(house, issuer)
    other = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
    assert tell(house, issuer, good(house, issuer), other).status_code == 400
    assert tell(house, issuer, good(house, issuer), typ="at+jwt").status_code == 400
    assert tell(house, issuer, issuer.claims, typ="JWT").status_code == 400
    assert is_in(client)


def test_a_token_is_good_once(house: House, issuer: WrongIssuer) -> None:
    """Whoever recorded one cannot log the person out again, also after a restart of control."""
    come_in(house, issuer)
    token = good(house, issuer)
    assert tell(house, issuer, token).status_code == 200
    client = come_in(house, issuer)
    answer = tell(house, issuer, token)
    assert (answer.status_code, "jti" in answer.json()["error_description"]) == (400, True)
    assert is_in(client)
    assert tell(house, issuer, token | {"jti": "j2"}).status_code == 200
    assert not is_in(client)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ("", "application/x-www-form-urlencoded", 400),
        ("logout_token=", "application/x-www-form-urlencoded", 400),
        ("logout_token=a.b.c", "application/x-www-form-urlencoded", 400),
        (json.dumps({"logout_token": "a.b.c"}), "application/json", 415),
        ("logout_token=" + "a" * 80_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_what_is_no_form_with_a_token(house: House, content: str, kind: str, status: int) -> None:
    """It is refused without asking anybody."""
    answer = house.browser().post(PATH.format("idp"), content=content, headers={"content-type": kind})
    assert answer.status_code == status


def test_an_unknown_provider_ends_nothing(house: House) -> None:
    """There is nobody to believe."""
    answer = house.browser().post(PATH.format("nobody"), content="logout_token=a.b.c", headers=FORM)
    assert answer.status_code == 404
