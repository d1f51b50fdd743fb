"""Several changes as one revision: what `penstock config apply` sends."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from penstock.config.merge import SECTIONS
from penstock.control.kinds import check_name, team_of
from penstock.control.objects import Asker, Objects, check, dependents, editable, missing
from penstock.control.plane import Applied, Draft
from penstock.control.problems import Denied
from penstock.control.revisions import Difference
from penstock.control.secrets import refuse_reserved
from penstock.ports.control_store import Item, Kind


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be: sections of the file with the objects to set, and names to remove.

    Sections are `providers`, `deployments`, `guards`, `routes` and `orgs` (with `teams` and `users` inside, as
    in the file); `remove` takes the first five.
    """

    set: dict[str, dict[str, dict[str, Any]]] = {}
    remove: dict[str, list[str]] = {}


class _Part(NamedTuple):
    kind: Kind
    org: str
    name: str
    body: dict[str, Any]


class _DryRunError(Exception):
    """Ends a transaction that was only to show what it would do."""

    def __init__(self, changes: list[Difference]) -> None:
        super().__init__()
        self.changes = changes


_KINDS: dict[str, Kind] = {**{section: kind for kind, section in SECTIONS.items()}, "orgs": "org"}


def apply(
    objects: Objects, asker: Asker, wanted: Changes, *, dry_run: bool = False, reason: str = ""
) -> tuple[list[Difference], Applied | None]:
    """Set and remove all of it, or nothing. Raises Denied, StoreError."""
    for section in (*wanted.set, *wanted.remove):
        if section not in _KINDS:
            raise Denied("config_invalid", f"{section}: sections here are {', '.join(_KINDS)}")
    plane = objects.plane
    found: list[Difference] = []

    def edit(draft: Draft) -> None:
        for section, bodies in wanted.set.items():
            for name, body in bodies.items():
                _set(objects, asker, draft, _KINDS[section], name, body)
        for section, names in wanted.remove.items():
            for name in names:
                _remove(objects, asker, draft, _KINDS[section], name)
        found.extend(
            Difference(
                kind=one.kind,
                org=one.org,
                name=one.name,
                before=plane.secrets.audited(one.before),
                after=plane.secrets.audited(one.after),
            )
            for one in draft.changes()
        )
        if dry_run:
            plane.tried(draft.items)
            raise _DryRunError(found)

    try:
        _, applied = objects.audited(
            asker, "apply", "settings", "", "", lambda: plane.change(asker.actor, edit, reason=reason)
        )
    except _DryRunError as dry:
        return dry.changes, None
    return found, applied


def _set(objects: Objects, asker: Asker, draft: Draft, kind: Kind, name: str, body: dict[str, Any]) -> None:
    org = name if kind == "org" else ""
    parts: list[_Part] = []
    if kind == "org":
        parts += [_Part("team", name, team, said) for team, said in _mapping(body, "teams").items()]
        parts += [_Part("user", name, user, said) for user, said in _mapping(body, "users").items()]
        body = {key: value for key, value in body.items() if key not in {"teams", "users"}}
    for each, whose, called, said in (_Part(kind, org, name, body), *parts):
        check_name(called, each)
        refuse_reserved(said)
        before = draft.get(each, whose, called)
        objects.may_see(asker, before, each, whose, called)
        item = Item(kind=each, org=whose, name=called, body=said)
        item = msgspec.structs.replace(item, team=team_of(item, said))
        objects.permit(asker, "write", item, before)
        editable(before)
        check(draft, item)
        draft.put(objects.plane.secrets.stored(item, before))


def _remove(objects: Objects, asker: Asker, draft: Draft, kind: Kind, name: str) -> None:
    before = draft.get(kind, name if kind == "org" else "", name)
    objects.may_see(asker, before, kind, "", name)
    if before is None:
        raise missing(kind, "", name)
    objects.permit(asker, "delete", before, before)
    editable(before)
    if dependents(draft, before):
        raise Denied("in_use", f"{name}: other objects belong to it; delete them first")
    draft.remove(before)


def _mapping(body: dict[str, Any], section: str) -> dict[str, dict[str, Any]]:
    found = body.get(section, {})
    try:
        return msgspec.convert(found, dict[str, dict[str, Any]])
    except msgspec.ValidationError as error:
        raise Denied("config_invalid", f"{section}: {error}") from None
