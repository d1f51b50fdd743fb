"""The kinds of objects that control manages: how they are called, whose they are, what their bodies hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import inspect

from penstock.config.document.fields import Name, Text
from penstock.config.merge import TYPES
from penstock.config.reader import Reader
from penstock.config.source import Json, to_node
from penstock.config.values import BadValueError, name
from penstock.control.problems import Denied, invalid
from penstock.ports.control_store import Item, Kind


class ServiceAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program that uses keys, or administers, in its own name.

    Attributes:
        team: The team that it belongs to.
        description: What it is for.
    """

    team: Name | None = None
    description: Text | None = None


class RoleBinding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role that somebody has in an organisation, in one of its teams, or for the whole installation.

    Attributes:
        role: What they may do.
        user: The person, by name; of the same organisation.
        service_account: The program, by name, instead of a person.
        team: The team that the role is for; without it, the whole organisation.
    """

    role: Literal["owner", "admin", "member", "viewer", "auditor"]
    user: Name | None = None
    service_account: Name | None = None
    team: Name | None = None


@dataclass(frozen=True)
class KindInfo:
    """One kind. `plural` is its name in paths; `tenant`: organisations have it; `what` is for people."""

    kind: Kind
    plural: str
    what: str
    body: type
    tenant: bool = True


KINDS: dict[Kind, KindInfo] = {
    info.kind: info
    for info in (
        KindInfo("org", "orgs", "organisation", TYPES["org"]),
        KindInfo("team", "teams", "team", TYPES["team"]),
        KindInfo("user", "users", "user", TYPES["user"]),
        KindInfo("service_account", "service-accounts", "service account", ServiceAccount),
        KindInfo("role_binding", "role-bindings", "role binding", RoleBinding),
        KindInfo("key", "keys", "key", TYPES["key"]),
        KindInfo("throttle", "throttles", "throttle", TYPES["throttle"]),
        KindInfo("provider", "providers", "provider", TYPES["provider"], tenant=False),
        KindInfo("deployment", "deployments", "deployment", TYPES["deployment"], tenant=False),
        KindInfo("guard", "guards", "guard", TYPES["guard"], tenant=False),
        KindInfo("route", "routes", "route", TYPES["route"], tenant=False),
    )
}


def check_name(text: str, kind: Kind) -> None:
    """A name that an object can have. Raises Denied."""
    try:
        name(text)
    except BadValueError as error:
        raise Denied("config_invalid", f"{text[:80]!r} is {error.message}; {error.hint}") from None
    if kind == "org" and ":" in text:
        raise Denied("config_invalid", "the name of an organisation has no colon; write a dash")


def check_body(kind: Kind, body: Json, path: str) -> None:
    """A body that is not part of the document, or not by itself, is what its type says. Raises Denied."""
    reader = Reader({})
    reader.read(to_node(body, _none, literal=True), inspect.type_info(KINDS[kind].body), path)
    if reader.problems:
        raise invalid(reader.problems)


def team_of(item: Item, body: dict[str, Any]) -> str:
    """Whose team an object with this body is."""
    if item.kind == "team":
        return item.name
    team = body.get("team")
    return team if isinstance(team, str) else ""


def _none(_: bytes) -> bytes:
    raise TypeError("nothing is sealed here")
