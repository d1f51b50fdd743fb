"""A matrix of principals and objects over every operation of the API: nobody sees what is not his."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from penstock.control.login.sessions import COOKIE, CSRF, Sessions, csrf_of
from penstock.control.rights import Directory
from penstock.core.exchange import Event, Subject
from penstock.core.permissions import ROLES, Role
from penstock.ports.identity_store import Granted, Identity, Password
from penstock.ports.ledger import Gaps, Position
from penstock.worker.stores import LedgerPlace, open_reader, open_store
from tests.control.house import CONFIG, House
from tests.control.live import FakeLive, exchange
from tests.ledger.doubles import settled

# Where objects of each kind are made for each organisation; the marker is what must not be seen elsewhere.
ORGS = ("acme", "beta")
MARK = "marker-of-{org}"
TEAMS = ("red", "blue")


class Who(NamedTuple):
    """A principal: a role in an organisation, or in one team of it, by a key or by a claim of a login."""

    role: Role
    org: str
    team: str | None = None
    by: Literal["key", "login"] = "key"


WHO = [Who(role, "acme", team, by) for by in ("key", "login") for role in ROLES for team in (None, "red")]


def furnish(house: House) -> None:
    """The same objects for both organisations and both teams, and objects of the installation."""
    house.objects.put(house.owner, "team", "acme", "blue", {})
    for team in TEAMS:
        house.objects.put(house.owner, "team", "beta", team, {})
    for org in ORGS:
        mark = MARK.format(org=org)
        for team in TEAMS:
            house.objects.put(house.owner, "service_account", org, f"{mark}-{team}", {"team": team})
            house.keys.create(house.owner, org, f"{mark}-{team}", {"team": team})
            binding = {"service_account": f"{mark}-{team}", "role": "viewer", "team": team}
            house.objects.put(house.owner, "role_binding", org, f"{mark}-{team}", binding)
        house.objects.put(house.owner, "user", org, mark, {})
        furnish_login(house, org, mark)
    house.objects.put(house.owner, "provider", "", "marker-of-nobody", {"kind": "simulator"})
    house.objects.put(house.owner, "route", "", "marker-of-nobody", {"policy": "sim/echo"})
    house.objects.put(house.owner, "user", "", "marker-of-nobody", {})
    under_way = [exchange(f"{MARK.format(org=org)}-{team}", org, team) for org in ORGS for team in (*TEAMS, "")]
    bill(house)
    house.plane.live = FakeLive([*under_way, exchange("marker-of-nobody", "", "")])


def bill(house: House) -> None:
    """One exchange of each place in the ledger."""
    place = LedgerPlace(house.state.root)
    events: list[Event] = []
    places = [(org, team) for org in ORGS for team in (*TEAMS, "")]
    for number, (org, team) in enumerate([*places, ("", "")], 1):
        event = settled(number)
        mark = f"{MARK.format(org=org)}-{team}" if org else "marker-of-nobody"
        request = replace(event.request, request_id=f"req-{mark}", tags={"note": mark})
        events.append(replace(event, request=request, subject=Subject(org, team, "", mark)))
    with contextlib.closing(open_store(place)) as store:
        store.commit("boot", list(enumerate(events, 1)), Position(1, 1000, len(events)), Gaps())
    house.plane.metering = lambda: open_reader(place)


def furnish_login(house: House, org: str, mark: str) -> None:
    """What a person has beside the objects: a password, a session, a link to an identity provider."""
    sessions = Sessions(house.identities, Directory(house.store), house.plane, house.plane.auth)
    user = Directory(house.store).item("user", org, mark)
    assert user is not None
    sessions.begin(user, "password", mark)
    house.identities.keep_password(
        Password(org=org, user=mark, born_ms=user.created_ms, hash="$argon2id$none", changed_ms=house.now)
    )
    house.identities.link(
        Identity(issuer="https://id.example", subject=mark, org=org, user=mark, born_ms=user.created_ms)
    )


def logins(house: House) -> list[Any]:
    """What the other organisation's person has."""
    mark, kept = MARK.format(org="beta"), house.identities
    return [kept.password("beta", mark), kept.sessions("beta", mark), kept.identities("beta", mark)]


def logged_in(house: House, who: Who) -> TestClient[Any]:
    """Somebody whose role came with a login at an identity provider, and nothing else."""
    name = f"person-{who.role}-{who.team or 'org'}"
    house.objects.put(house.owner, "user", who.org, name, {})
    directory = Directory(house.store)
    user = directory.item("user", who.org, name)
    assert user is not None
    sessions = Sessions(house.identities, directory, house.plane, house.plane.auth)
    token, _ = sessions.begin(user, "password", "local", (Granted(who.role, who.org, who.team or ""),))
    client = house.client()
    del client.headers["authorization"]
    client.cookies.set(COOKIE, token)
    client.headers[CSRF] = csrf_of(token)
    return client


def operations(client: TestClient[Any]) -> Iterator[tuple[str, str]]:
    """Every method and path of the document."""
    document = client.get("/admin/api/schema").json()
    for path, methods in document["paths"].items():
        for method in methods:
            yield method, path


def filled(path: str, org: str, name: str) -> str:
    """A path with its parameters."""
    name = org if path == "/admin/api/orgs/{name}" else name
    mark = f"{MARK.format(org='beta')}-red"
    values = {"org": org, "name": name, "number": "3", "provider": "none", "request_id": mark}
    for parameter, value in values.items():
        path = path.replace(f"{{{parameter}}}", value)
    return path


def body_of(method: str, path: str) -> dict[str, Any] | None:
    """A body that could do harm."""
    if method not in {"put", "post"}:
        return None
    if path.endswith("/apply"):
        return {
            "set": {"orgs": {"beta": {"budget": {"usd": 9, "window": "day"}}}},
            "remove": {"routes": ["echo"]},
        }
    if path.endswith("/password"):
        return {"password": "a password that somebody else chose"}
    if path.endswith("/keys"):
        return {"name": "stolen", "org": "beta", "spec": {}}
    return {"policy": "sim/echo"} if "routes" in path else {"kind": "simulator"} if "providers" in path else {}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One furnished house for the whole matrix."""
    house = House(tmp_path_factory.mktemp("world"), CONFIG)
    furnish(house)
    yield house
    house.close()


@pytest.fixture(scope="module", params=WHO, ids=lambda who: f"{who.role}-{who.team or 'org'}-{who.by}")
def asking(request: pytest.FixtureRequest, world: House) -> Iterator[tuple[Who, TestClient[Any]]]:
    """A principal with its client."""
    who: Who = request.param
    if who.by == "login":
        client = logged_in(world, who)
    else:
        client = world.client(world.member(who.org, f"self-{who.role}-{who.team or 'org'}", who.role, who.team))
    with client:
        yield who, client


def test_nobody_sees_what_is_not_his(asking: tuple[Who, TestClient[Any]], world: House) -> None:
    """No read answer names an object of the other organisation, the other team, or the installation."""
    who, client = asking
    foreign = [MARK.format(org="beta"), "marker-of-nobody"]
    if who.team:
        foreign.append(f"{MARK.format(org='acme')}-blue")
    reads = [path for method, path in operations(client) if method == "get"]
    assert len(reads) > 20
    for path in reads:
        if "{" not in path:
            answers = [
                client.get(path),
                client.get(path, params={"org": "beta"}),
                client.get(path, params={"limit": 1}),
            ]
        else:
            answers = [
                client.get(filled(path, org, name))
                for org in (*ORGS, "-")
                for name in foreign
            ]  # fmt: skip
        for answer in answers:
            assert answer.status_code in {200, 403, 404}, (path, answer.text)
            if answer.status_code == 200:
                assert not [mark for mark in foreign if mark in answer.text], (path, answer.text)
            # What is refused is told in the same words, whether or not there is such an object.
            if answer.status_code == 404 and "{name}" in path:
                assert "or you may not see it" in answer.json()["detail"]
    assert world.plane is not None


def test_nobody_changes_what_is_not_his(asking: tuple[Who, TestClient[Any]], world: House) -> None:
    """No operation changes, removes or makes anything outside the principal's place."""
    who, client = asking
    before = (world.head(), logins(world))
    for named in ({"org": "beta"}, {"route": "chat"}, {"all": "true"}, {"user": "joe"}):
        assert client.delete("/admin/api/cache", params=named).status_code == 403
    for method, path in operations(client):
        # Who has logged in may log out: that is tests/control/test_login.py.
        if method == "get" or path == "/admin/api/session":
            continue
        names = [MARK.format(org="beta"), f"{MARK.format(org='beta')}-red", "marker-of-nobody", "brand-new"]
        for name in names if "{name}" in path else [""]:
            for org in ("beta", "-") if "{org}" in path else ("beta",):
                place = filled(path, org, name)
                answer = client.request(method, place, json=body_of(method, path))
                # 415: what identity providers send is a form.
                assert answer.status_code in {400, 403, 404, 409, 415, 422}, (method, place, answer.text)
    assert (world.head(), logins(world)) == before
    assert all(before[1])
    assert who.org == "acme"
    live = world.plane.live
    assert isinstance(live, FakeLive)
    assert not live.stopped
    assert not live.purged


def test_the_same_requests_of_an_owner_work(world: House) -> None:
    """The matrix above would prove nothing if its requests failed for everybody."""
    with world.client() as client:
        seen = 0
        for method, path in operations(client):
            if method == "get" and "{" not in path:
                seen += MARK.format(org="beta") in client.get(path, params={"limit": 500}).text
        assert seen >= 6
        for kind in ("keys", "service-accounts", "role-bindings"):
            assert client.get(f"/admin/api/orgs/beta/{kind}/{MARK.format(org='beta')}-red").status_code == 200
        person = f"/admin/api/orgs/beta/users/{MARK.format(org='beta')}"
        for what in ("sessions", "identities"):
            assert MARK.format(org="beta") in client.get(f"{person}/{what}").text.replace(person, "")


def test_roles_inside_their_place(world: House) -> None:
    """What each role may do to the objects of its own organisation."""
    may: dict[str, tuple[int, int, int]] = {
        "owner": (201, 201, 403), "admin": (201, 201, 403), "member": (403, 403, 403),
        "viewer": (403, 403, 403), "auditor": (403, 403, 403),
    }  # fmt: skip
    for role, (team, key, org) in may.items():
        secret = world.member("acme", f"in-{role}", role)
        with world.client(secret) as client:
            assert client.put(f"/admin/api/orgs/acme/teams/of-{role}", json={}).status_code == team
            assert client.put(f"/admin/api/orgs/acme/keys/of-{role}", json={}).status_code == key
            # Its own budget is set by who stands above it.
            assert (
                client.put("/admin/api/orgs/acme", json={"budget": {"usd": 1, "window": "day"}}).status_code
                == org
            )
            audit = client.get("/admin/api/audit")
            assert audit.status_code == (200 if role in {"owner", "admin", "auditor"} else 403)


def test_nobody_grants_more_than_he_has(world: House) -> None:
    """An admin makes no owner, nobody below makes anybody, and no key acts for who has more rights."""
    world.member("acme", "boss", "owner")
    admin = world.member("acme", "helper", "admin")
    team = world.member("acme", "lead", "admin", "red")
    with world.client(admin) as client:
        assert (
            client.put(
                "/admin/api/orgs/acme/role-bindings/up", json={"service_account": "helper", "role": "owner"}
            ).status_code
            == 403
        )
        assert (
            client.put(
                "/admin/api/orgs/acme/role-bindings/side", json={"service_account": "lead", "role": "viewer"}
            ).status_code
            == 201
        )
        assert client.delete("/admin/api/orgs/acme/role-bindings/boss-owner").status_code == 403
        stolen = {"service_account": "boss", "admin_api": True}
        assert client.put("/admin/api/orgs/acme/keys/stolen", json=stolen).status_code == 403
        assert client.post("/admin/api/orgs/acme/keys/boss-key/rotate").status_code == 403
    with world.client(team) as client:
        assert (
            client.put(
                "/admin/api/orgs/acme/role-bindings/wide", json={"service_account": "lead", "role": "admin"}
            ).status_code
            == 403
        )


def test_a_member_has_keys_of_his_own(world: House) -> None:
    """He makes, rotates and revokes those, and nobody else's."""
    world.objects.put(world.owner, "service_account", "acme", "colleague", {})
    secret = world.member("acme", "worker", "member")
    with world.client(secret) as client:
        own = {"service_account": "worker"}
        assert client.put("/admin/api/orgs/acme/keys/mine", json=own).status_code == 201
        assert client.post("/admin/api/orgs/acme/keys/mine/rotate").status_code == 200
        assert client.post("/admin/api/orgs/acme/keys/mine/revoke").status_code == 200
        other = {"service_account": "colleague"}
        assert client.put("/admin/api/orgs/acme/keys/his", json=other).status_code == 403
        assert client.put("/admin/api/orgs/acme/keys/mine", json=other).status_code == 403
        assert client.post("/admin/api/orgs/acme/keys/marker-of-acme-red/revoke").status_code == 403
