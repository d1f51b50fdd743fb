"""Reading and changing objects in somebody's name: the rules that hold for all kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import msgspec

from penstock.config.merge import EVERYBODY
from penstock.control.audit import Actor, Event
from penstock.control.kinds import KINDS, check_body, check_name, team_of
from penstock.control.plane import Applied, ControlPlane, Draft
from penstock.control.problems import Denied
from penstock.control.secrets import refuse_reserved
from penstock.core.permissions import (
    ROLES,
    Action,
    Place,
    Principal,
    Target,
    allows,
    may_grant,
    visible,
)
from penstock.ports.control_store import Item, Kind, ManagedBy, Query

MOST_NAMED = 5
T = TypeVar("T")


@dataclass(frozen=True)
class Asker:
    """Who asks, as permissions know them and as the audit log names them."""

    principal: Principal
    actor: Actor


@dataclass(frozen=True)
class Expected:
    """What a request expects of the object: the versions that it may have, or that there is none.

    `versions` is None where nothing is said; empty means any, as long as the object is there.
    """

    versions: tuple[int, ...] | None = None
    absent: bool = False

    def check(self, item: Item | None) -> None:
        """Raises Denied."""
        if self.absent and item is not None:
            raise Denied("precondition_failed", "the object is there already (If-None-Match: *)")
        if self.versions is None:
            return
        if item is None:
            raise Denied("precondition_failed", "there is no such object (If-Match)")
        if self.versions and item.version not in self.versions:
            said = f'the object is at version "{item.version}"; read it again and repeat the change'
            raise Denied("precondition_failed", said)


ANYTHING = Expected()


def target_of(item: Item) -> Target:
    """An object as permissions know it."""
    owner = item.body.get("user") or item.body.get("service_account") or "" if item.kind == "key" else ""
    return Target(item.kind, Place(item.org, item.team), owner if isinstance(owner, str) else "")


class Objects:
    """All kinds of objects, through the eyes of who asks."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    # --- reading ----------------------------------------------------------------------------------------------

    def get(self, asker: Asker, kind: Kind, org: str, name: str) -> Item:
        """One object. Raises Denied where there is none, or none to be seen."""
        with self.plane.store.reading() as reading:
            item = reading.item(kind, org, name)
        if item is None or not allows(asker.principal, "read", target_of(item)):
            raise missing(kind, org, name)
        return item

    def page(
        self,
        asker: Asker,
        kind: Kind,
        *,
        org: str | None,
        team: str | None,
        managed_by: ManagedBy | None,
        prefix: str,
        after: tuple[str, str] | None,
        limit: int,
    ) -> tuple[list[Item], bool]:
        """One page of what the asker may see, and whether there is more."""
        query = Query(
            kind=kind,
            org=org,
            team=team,
            managed_by=managed_by,
            prefix=prefix,
            scopes=visible(asker.principal, kind),
            after=after,
            limit=limit + 1,
        )
        with self.plane.store.reading() as reading:
            items = reading.items(query)
        return items[:limit], len(items) > limit

    # --- changing ---------------------------------------------------------------------------------------------

    def put(
        self,
        asker: Asker,
        kind: Kind,
        org: str,
        name: str,
        body: dict[str, Any],
        *,
        expected: Expected = ANYTHING,
        reason: str = "",
    ) -> tuple[Item, bool, Applied]:
        """Make or replace an object; says whether it was made. The same body again changes nothing.

        Raises Denied, StoreError.
        """
        check_name(name, kind)
        refuse_reserved(body)

        def edit(draft: Draft) -> bool:
            before = draft.get(kind, org, name)
            self.may_see(asker, before, kind, org, name)
            item = Item(kind=kind, org=org, name=name, body=body)
            item = msgspec.structs.replace(item, team=team_of(item, body))
            self.permit(asker, "write", item, before)
            expected.check(before)
            editable(before)
            check(draft, item)
            if before is not None:
                item = msgspec.structs.replace(
                    item, version=before.version, created_ms=before.created_ms, updated_ms=before.updated_ms
                )
            draft.put(self.plane.secrets.stored(item, before))
            return before is None

        created, applied = self.audited(
            asker, "write", kind, org, name, lambda: self.plane.change(asker.actor, edit, reason=reason)
        )
        return self.fresh(kind, org, name), created, applied

    def delete(
        self,
        asker: Asker,
        kind: Kind,
        org: str,
        name: str,
        *,
        expected: Expected = ANYTHING,
        reason: str = "",
        cascade: bool = False,
    ) -> Applied:
        """Remove an object; with `cascade` all that belongs to it, too. Raises Denied, StoreError."""

        def edit(draft: Draft) -> None:
            before = draft.get(kind, org, name)
            self.may_see(asker, before, kind, org, name)
            if before is None:
                raise missing(kind, org, name)
            self.permit(asker, "delete", before, before)
            expected.check(before)
            editable(before)
            below = dependents(draft, before)
            for one in below:
                editable(one)
                self.permit(asker, "delete", one, one)
            if below and not cascade:
                named = ", ".join(f"{KINDS[one.kind].what} {one.name}" for one in below[:MOST_NAMED])
                more = f" and {len(below) - MOST_NAMED} more" if len(below) > MOST_NAMED else ""
                raise Denied("in_use", f"it has {named}{more}; delete them first, or say cascade=true")
            for one in (*below, before):
                draft.remove(one)

        _, applied = self.audited(
            asker, "delete", kind, org, name, lambda: self.plane.change(asker.actor, edit, reason=reason)
        )
        return applied

    # --- rules ------------------------------------------------------------------------------------------------

    def permit(self, asker: Asker, action: Action, item: Item, before: Item | None) -> None:
        """The asker may do this to the object as it is and as it will be. Raises Denied."""
        for one in (item, before):
            if one is None:
                continue
            if not allows(asker.principal, action, target_of(one)):
                raise forbidden(asker.principal, action, one.kind)
            own = {"credentials"} & one.body.keys() and action == "write"
            if own and not allows(asker.principal, "write", Target("provider")):
                # A credential names addresses at which it is exchanged, which only administrators may choose.
                raise Denied("forbidden", f"{asker.principal.name} may not set credentials of providers")
            if one.kind == "role_binding":
                role = one.body.get("role")
                place = Place(one.org, one.team)
                if not any(role == known and may_grant(asker.principal, known, place) for known in ROLES):
                    raise Denied(
                        "forbidden", f"{asker.principal.name} may not give or take the role {role!r} here"
                    )

    def audited(self, asker: Asker, action: str, kind: Kind, org: str, name: str, run: Callable[[], T]) -> T:
        """Run a change; a refusal for want of rights is written down before it is passed on."""
        try:
            return run()
        except Denied as denied:
            if denied.code == "forbidden":
                event = Event(
                    action=action, kind=kind, org=org, name=name[:200], outcome="denied", detail=denied.detail
                )
                self.plane.note(asker.actor, event)
            raise

    def may_see(self, asker: Asker, before: Item | None, kind: Kind, org: str, name: str) -> None:
        """Whoever may not see an object is not told that it is there."""
        if before is not None and not allows(asker.principal, "read", target_of(before)):
            raise missing(kind, org, name)

    def fresh(self, kind: Kind, org: str, name: str) -> Item:
        """The object as it is now, whoever asks. Raises Denied."""
        with self.plane.store.reading() as reading:
            item = reading.item(kind, org, name)
        if item is None:
            raise missing(kind, org, name)
        return item


def check(draft: Draft, item: Item) -> None:
    """What one object needs of the others, beyond what makes a valid document. Raises Denied."""
    kind, org, body = item.kind, item.org, item.body
    if kind == "org":
        if {"teams", "throttles"} & body.keys() or set(body.get("users", {})) - {EVERYBODY}:
            raise Denied(
                "config_invalid", "teams, users and throttles are objects of their own; PUT each of them"
            )
        return
    if org and draft.get("org", org, org) is None:
        raise missing("org", "", org)
    if kind in {"service_account", "role_binding"} or (kind == "user" and not org):
        check_body(kind, body, item.name)
    for team in (body.get("team"), *_listed(body.get("teams"))):
        if isinstance(team, str) and draft.get("team", org, team) is None:
            raise Denied("config_invalid", f"there is no team {team!r} in {org or 'the installation'!r}")
    if kind in {"user", "service_account"}:
        other: Kind = "service_account" if kind == "user" else "user"
        if draft.get(other, org, item.name) is not None:
            raise Denied("already_exists", f"a {KINDS[other].what} has this name; in logs they would be one")
    if kind == "role_binding":
        _check_subject(draft, item)


def _check_subject(draft: Draft, item: Item) -> None:
    user, account = item.body.get("user"), item.body.get("service_account")
    if (user is None) == (account is None):
        raise Denied("config_invalid", "a role binding names a user or a service_account, one of them")
    kind: Kind = "user" if user is not None else "service_account"
    name = str(user if user is not None else account)
    if draft.get(kind, item.org, name) is None:
        raise Denied(
            "config_invalid", f"there is no {KINDS[kind].what} {name!r} in {item.org or 'the installation'!r}"
        )


def dependents(draft: Draft, item: Item) -> list[Item]:
    """What cannot be without this organisation, team, user or service account."""
    if item.kind == "org":
        return [one for one in draft.items if one.org == item.name and one.kind != "org"]
    if item.kind == "team":
        return [
            one
            for one in draft.items
            if one.org == item.org
            and one.kind != "team"
            and (one.team == item.name or item.name in _listed(one.body.get("teams")))
        ]
    if item.kind in {"user", "service_account"}:
        return [one for one in draft.items if one.org == item.org and one.body.get(item.kind) == item.name]
    return []


def editable(item: Item | None) -> None:
    """What stands in the file is changed there. Raises Denied."""
    if item is not None and item.managed_by != "api":
        where = "the configuration file" if item.managed_by == "file" else "the environment"
        raise Denied("managed_by_file", f"this {KINDS[item.kind].what} comes from {where}; change it there")


def missing(kind: Kind, org: str, name: str) -> Denied:
    """There is no such object, or it is not to be seen."""
    where = f" in {org!r}" if org and kind != "org" else ""
    return Denied("not_found", f"there is no {KINDS[kind].what} {name[:80]!r}{where}, or you may not see it")


def forbidden(principal: Principal, action: Action, kind: Kind) -> Denied:
    """The principal's roles do not allow it."""
    verb = {"read": "read", "write": "change", "delete": "delete"}[action]
    return Denied(
        "forbidden", f"{principal.name} may not {verb} this {KINDS[kind].what}; ask for a role that may"
    )


def _listed(value: object) -> list[str]:
    return [str(one) for one in cast("list[object]", value)] if isinstance(value, list) else []
