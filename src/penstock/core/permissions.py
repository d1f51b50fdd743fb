"""Who may do what to which object: the one place that decides it.

A *principal* is who asks, with the grants that it holds. A grant is a role at a place: the installation (no
organisation), an organisation, or one of its teams. What a role allows is a row of RIGHTS; a grant reaches the
objects at its place and below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["owner", "admin", "member", "viewer", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
PrincipalKind = Literal["operator", "admin_key", "user", "service_account"]
Resource = Literal[
    "settings", "provider", "deployment", "guard", "route", "org", "team", "user", "service_account",
    "role_binding", "key", "revision", "audit", "exchange", "metering", "throttle",
]  # fmt: skip
Action = Literal["read", "write", "delete"]

# Objects of the installation; a grant inside an organisation never reaches them.
OF_INSTALLATION: frozenset[Resource] = frozenset(
    {"settings", "provider", "deployment", "guard", "route", "revision"}
)
_TENANT: tuple[Resource, ...] = ("org", "team", "user", "service_account", "key", "exchange", "throttle")
_CONFIG: tuple[Resource, ...] = ("settings", "provider", "deployment", "guard", "route", "revision")
_ALL: frozenset[Action] = frozenset({"read", "write", "delete"})
_READ: frozenset[Action] = frozenset({"read"})

Rights = dict[Resource, frozenset[Action]]


def _each(resources: tuple[Resource, ...], actions: frozenset[Action]) -> Rights:
    return dict.fromkeys(resources, actions)


_OWN: tuple[Resource, ...] = (*_TENANT, *_CONFIG, "role_binding", "metering")
_AUDIT: Rights = {"audit": _READ}
_NO_END: Rights = {"org": frozenset({"read", "write"})}
RIGHTS: dict[Role, Rights] = {
    "owner": _each(_OWN, _ALL) | _AUDIT,
    "admin": _each(_OWN, _ALL) | _AUDIT | _NO_END,
    "member": _each((*_TENANT, *_CONFIG), _READ),
    "viewer": _each(_OWN, _READ),
    "auditor": _each(_OWN, _READ) | _AUDIT,
}
# What a role may hand on: never more than itself, and only owners make owners.
_MAY_GRANT: dict[Role, frozenset[Role]] = {
    "owner": frozenset(ROLES),
    "admin": frozenset({"admin", "member", "viewer", "auditor"}),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Whose an object is; both empty for the installation's."""

    org: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at a place."""

    role: Role
    place: Place = Place()

    def reaches(self, place: Place) -> bool:
        """Whether the place is the grant's or below it."""
        if not self.place.org:
            return True
        return place.org == self.place.org and self.place.team in ("", place.team)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `name` is what revisions and the audit log call it, such as `user:acme/alice`.

    `org` and `user` say whose keys are its own; both are empty for the operator and the admin key.
    """

    kind: PrincipalKind
    name: str
    grants: tuple[Grant, ...] = ()
    org: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The object in question: what it is, whose, and for a key or a request whose own."""

    resource: Resource
    place: Place = Place()
    owner: str = ""


def allows(principal: Principal, action: Action, target: Target) -> bool:
    """Whether the principal may do this."""
    for grant in principal.grants:
        if target.resource in OF_INSTALLATION and grant.place.org:
            continue
        if action != "read" and not _from_above(grant, target):
            continue
        if grant.reaches(target.place) and action in RIGHTS[grant.role].get(target.resource, frozenset()):
            return True
        # A member's own keys are the member's to make, change and revoke, and his own requests his to stop.
        if (
            target.resource in ("key", "exchange")
            and grant.role == "member"
            and grant.reaches(target.place)
            and target.owner
            and (target.place.org, target.owner) == (principal.org, principal.user)
        ):
            return True
    return False


def _from_above(grant: Grant, target: Target) -> bool:
    """What bounds an organisation or a team (budget, limits) is set from above, never from within."""
    if target.resource == "org":
        return not grant.place.org
    return target.resource != "team" or not grant.place.team


def may_grant(principal: Principal, role: Role, place: Place) -> bool:
    """Whether the principal may give (or take) this role at this place."""
    return any(
        grant.reaches(place) and role in _MAY_GRANT.get(grant.role, frozenset()) for grant in principal.grants
    )


def visible(principal: Principal, resource: Resource) -> tuple[tuple[str, str], ...] | None:
    """The (org, team) whose objects the principal may read, an empty team meaning all; None is everything."""
    places: set[tuple[str, str]] = set()
    for grant in principal.grants:
        if "read" not in RIGHTS[grant.role].get(resource, frozenset()):
            continue
        if not grant.place.org:
            return None
        if resource not in OF_INSTALLATION:
            places.add((grant.place.org, grant.place.team))
    return tuple(sorted(places))
