"""A matrix of principals and objects over every operation of the API: nobody sees what is not his."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from penstock.core.exchange import Event, Subject
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
    """A principal: a role in an organisation, or in one team of it."""

    role: str
    org: str
    team: str | None = None


WHO = [
    Who(role, "acme", team)
    for role in ("owner", "admin", "member", "viewer", "auditor")
    for team in (None, "red")
]


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


def operations(client: TestClient[Any]) -> Iterator[tuple[str, str]]:
    """Every method and path of the document."""
    document = client.get("/admin/api/schema").json()
    for path, methods in document["paths"].items():
        for method in methods:
            yield method, path


def filled(path: str, org: str, name: str) -> str:
    """A path with its parameters."""
    name = org if path == "/admin/api/orgs/{name}" else name
    path = path.replace("{org}", org).replace("{name}", name).replace("{number}", "3")
    return path.replace("{request_id}", f"{MARK.format(org='beta')}-red")


def body_of(method: str, path: str) -> dict[str, Any] | None:
    """A body that could do harm."""
    if method not in {"put", "post"}:
        return None
    if path.endswith("/apply"):
        return {
            "set": {"orgs": {"beta": {"budget": {"usd": 9, "window": "day"}}}},
            "remove": {"routes": ["echo"]},
        }
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


@pytest.fixture(scope="module", params=WHO, ids=lambda who: f"{who.role}-{who.team or 'org'}")
def asking(request: pytest.FixtureRequest, world: House) -> Iterator[tuple[Who, TestClient[Any]]]:
    """A principal with its client."""
    who: Who = request.param
    secret = world.member(who.org, f"self-{who.role}-{who.team or 'org'}", who.role, who.team)
    with world.client(secret) as client:
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
    before = world.head()
    for method, path in operations(client):
        if method == "get":
            continue
        names = [MARK.format(org="beta"), f"{MARK.format(org='beta')}-red", "marker-of-nobody", "brand-new"]
        for name in names if "{name}" in path else [""]:
            for org in ("beta", "-") if "{org}" in path else ("beta",):
                place = filled(path, org, name)
                answer = client.request(method, place, json=body_of(method, path))
                assert answer.status_code in {400, 403, 404, 409, 422}, (method, place, answer.text)
    assert world.head() == before
    assert who.org == "acme"
    live = world.plane.live
    assert isinstance(live, FakeLive)
    assert not live.stopped


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
