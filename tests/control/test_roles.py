"""Every operation of the admin API for every role: what is answered is what core.permissions decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from litestar.testing import TestClient

from penstock.control.kinds import KINDS
from penstock.core.permissions import (
    ROLES,
    Action,
    Grant,
    Place,
    Principal,
    Resource,
    Role,
    Target,
    allows,
)
from scripts.generate_roles_doc import DOCS_FILE, document
from tests.control.house import House

# Objects by kind: the place, and path parameters for organisation and name.
TEAM = Place("acme", "red")
WHERE: dict[Resource, tuple[Place, str, str]] = {
    "org": (Place("acme"), "", "acme"), "team": (TEAM, "acme", "red"), "user": (Place("acme"), "acme", "u"),
    "service_account": (TEAM, "acme", "s"), "role_binding": (TEAM, "acme", "b"), "key": (TEAM, "acme", "k"),
    "provider": (Place(), "", "p"), "deployment": (Place(), "", "d"), "guard": (Place(), "", "g"),
    "route": (Place(), "", "r"), "throttle": (Place("acme"), "acme", "t"),
}  # fmt: skip
_INSTALLATION = Target("settings")
# What the others need: an action on an object; None where everybody may, or where it depends on the caller.
OTHERS: dict[str, tuple[Action, Target] | None] = {
    "whoami": None, "login_methods": None, "begin_login": None, "finish_login": None, "log_in": None,
    "provider_logout": None,
    "log_out": None, "get_session": None,
    "list_audit": ("read", Target("audit", TEAM)), "export_audit": ("read", Target("audit", TEAM)),
    "verify_audit": ("read", Target("audit")), "list_revisions": ("read", Target("revision")),
    "list_exchanges": None, "list_metering": ("read", Target("metering", TEAM)),
    "export_metering": ("read", Target("metering", TEAM)),
    "get_revision": ("read", Target("revision")), "diff_revisions": ("read", Target("revision")),
    "explain_route": ("read", Target("route")), "get_cache": ("read", Target("exchange")),
}  # fmt: skip
# Where a request would be led, for `explain_route`.
QUESTION = {"body": {"messages": [{"role": "user", "content": "Hi"}]}}
NEVER = '"999999"'
REFUSED = {403, 404}


class Operation(NamedTuple):
    """One operation of the document."""

    method: str
    path: str
    id: str


class Who(NamedTuple):
    """A role at a place; an empty organisation is the installation."""

    role: Role
    place: Place


WHO = [Who(role, place) for place in (Place(), Place("acme"), TEAM) for role in ROLES]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One object of each kind."""
    house = House(tmp_path_factory.mktemp("roles"))
    put, owner = house.objects.put, house.owner
    put(owner, "user", "acme", "u", {})
    put(owner, "service_account", "acme", "s", {"team": "red"})
    put(owner, "role_binding", "acme", "b", {"service_account": "s", "role": "viewer", "team": "red"})
    house.keys.create(owner, "acme", "k", {"team": "red"})
    put(owner, "throttle", "acme", "t", {"user": "u", "until": "2040-01-01T00:00:00Z"})
    for kind, name, body in (
        ("provider", "p", {"kind": "simulator"}),
        ("deployment", "d", {"provider": "p", "model": "echo"}),
        ("route", "r", {"policy": "sim/echo"}),
    ):
        put(owner, kind, "", name, body)  # type: ignore[arg-type]
    yield house
    house.close()


def operations(client: TestClient[Any]) -> list[Operation]:
    """All of them."""
    paths = client.get("/admin/api/schema").json()["paths"]
    return [
        Operation(method, path, operation["operationId"])
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def client_of(world: House, who: Who) -> tuple[TestClient[Any], Principal]:
    """A client with this one role, and the principal that it is."""
    name = f"{who.role}-{who.place.org}-{who.place.team}"
    org, team = who.place.org, who.place.team
    secret = world.member(org, name, who.role, team or None)
    grant = Grant(who.role, who.place)
    return world.client(secret), Principal("service_account", name, (grant,), org, name)


@pytest.mark.parametrize("who", WHO, ids=lambda who: "-".join((who.role, *(who.place.org, who.place.team))))
def test_the_api_does_what_the_table_says(world: House, who: Who) -> None:
    """Reading, changing and deleting each kind, and every other operation, by what the role allows."""
    client, principal = client_of(world, who)
    seen = 0
    for operation in operations(client):
        verb, _, rest = operation.id.partition("_")
        if operation.id in OTHERS:
            needed = OTHERS[operation.id]
            if needed is not None:
                path = operation.path.replace("{number}", "1").replace("{name}", "r")
                body = QUESTION if operation.method == "post" else None
                told = client.request(operation.method.upper(), path, json=body)
                assert (told.status_code == 200) == allows(principal, *needed), (operation, told.text)
            seen += 1
        elif rest in KINDS and verb in {"get", "put", "delete"} and rest != "guard":
            check_object(client, principal, operation, KINDS[rest].kind)
            seen += 1
    assert seen > 35


def check_object(client: TestClient[Any], principal: Principal, operation: Operation, kind: Resource) -> None:
    """A precondition that never holds keeps a change from happening: 412 says that it was allowed."""
    place, org, name = WHERE[kind]
    path = operation.path.replace("{org}", org).replace("{name}", name)
    target = Target(kind, place)
    if operation.method == "get":
        assert (client.get(path).status_code == 200) == allows(principal, "read", target), operation
        return
    action: Action = "write" if operation.method == "put" else "delete"
    body = client.get(path).json().get("spec", {}) if operation.method == "put" else None
    if kind == "role_binding" and body == {}:
        body = {"service_account": "s", "role": "viewer", "team": "red"}
    if place.team and kind in {"key", "service_account"} and body == {}:
        body = {"team": "red"}
    told = client.request(operation.method.upper(), path, json=body, headers={"if-match": NEVER})
    allowed = allows(principal, action, target)
    assert (told.status_code in REFUSED) != allowed, (operation, told.status_code, told.text)
    assert allowed == (told.status_code in {412, 409}), (operation, told.status_code, told.text)


def test_no_operation_is_forgotten(world: House) -> None:
    """Each operation is in the matrix above, or its rights are those of the object that it is about."""
    known = {f"{verb}_{kind}" for kind in KINDS for verb in ("get", "put", "delete", "list")} | set(OTHERS)
    about_objects = {
        "create_key", "rotate_key", "revoke_key", "rollback", "apply", "set_password", "forget_password",
        "get_sessions", "end_sessions", "kill_exchange", "get_identities", "unlink", "purge_cache",
        "begin_drill", "stop_drill", "get_drills",
    }  # fmt: skip
    found = {operation.id for operation in operations(world.client())}
    assert found == known | about_objects


def test_the_documented_table_is_current() -> None:
    """docs/tenancy.md has what the code decides; scripts/generate_roles_doc.py writes it."""
    assert DOCS_FILE.read_text() == document(DOCS_FILE.read_text())
