"""What was when: history, differences, and the way back."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.control.audit import Event
from penstock.control.objects import Asker
from penstock.control.plane import Applied, ControlPlane, Draft
from penstock.control.problems import Denied
from penstock.core.permissions import Target, allows
from penstock.ports.control_store import Item, Kind, Revision, RevisionQuery

# A rollback restores what requests run on. Who may do what, and with which secret, is never taken back with it:
# it could give a revoked key, or a role that was withdrawn, back to whoever held it.
NEVER_BACK: frozenset[Kind] = frozenset({"key", "user", "service_account", "role_binding", "throttle"})


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One object that differs: None before where it was added, after where it was removed."""

    kind: Kind
    org: str
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Revisions:
    """The history, for whoever may read the installation's configuration."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def head(self, asker: Asker) -> int:
        """The number of the newest one. Raises Denied, StoreError."""
        self._permit(asker, write=False)
        with self._plane.store.reading() as reading:
            return reading.head()

    def page(self, asker: Asker, query: RevisionQuery) -> list[Revision]:
        """One page, the newest first. Raises Denied, StoreError."""
        self._permit(asker, write=False)
        with self._plane.store.reading() as reading:
            return reading.revisions(query)

    def get(self, asker: Asker, number: int) -> tuple[Revision, list[Difference]]:
        """One revision and what it changed. Raises Denied, StoreError."""
        self._permit(asker, write=False)
        with self._plane.store.reading() as reading:
            revision = reading.revision(number)
        if revision is None:
            raise _unknown(number)
        return revision, self.diff(asker, number - 1, number)

    def diff(self, asker: Asker, old: int, new: int) -> list[Difference]:
        """What lies between two revisions, in the direction from `old` to `new`. Raises Denied, StoreError."""
        self._permit(asker, write=False)
        between = self._between(old, new)
        return [
            Difference(
                kind=kind,
                org=org,
                name=name,
                before=self._plane.secrets.audited(before),
                after=self._plane.secrets.audited(after),
            )
            for (kind, org, name), (before, after) in sorted(between.items())
        ]

    def rollback(self, asker: Asker, number: int, *, reason: str = "") -> Applied:
        """A new revision with the configuration of an old one; keys, people and roles stay as they are.

        Raises Denied, StoreError.
        """
        if not allows(asker.principal, "write", Target("revision")):
            event = Event(action="rollback", kind="revision", name=str(number), outcome="denied")
            self._plane.note(asker.actor, event)
            raise Denied("forbidden", f"{asker.principal.name} may not roll the configuration back")
        if number < 1:
            raise _unknown(number)
        with self._plane.store.reading() as reading:
            head = reading.head()
        between = self._between(head, number)

        def edit(draft: Draft) -> None:
            for (kind, org, name), (_, then) in between.items():
                if kind in NEVER_BACK:
                    continue
                now = draft.get(kind, org, name)
                if then is not None:
                    draft.put(then)
                elif now is not None:
                    draft.remove(now)

        said = f"rollback to revision {number}" + (f": {reason}" if reason else "")
        _, applied = self._plane.change(asker.actor, edit, reason=said, action="rollback", origin="rollback")
        return applied

    def _between(self, old: int, new: int) -> dict[tuple[Kind, str, str], tuple[Item | None, Item | None]]:
        """Each object that differs, as it was at `old` and at `new`."""
        low, high = sorted((old, new))
        with self._plane.store.reading() as reading:
            head = reading.head()
            for number in (old, new):
                if not 0 <= number <= head:
                    raise _unknown(number)
            changes = reading.changes(low, high)
        found: dict[tuple[Kind, str, str], tuple[Item | None, Item | None]] = {}
        for _, change in changes:
            key = (change.kind, change.org, change.name)
            first = found[key][0] if key in found else change.before
            found[key] = (first, change.after)
        if old > new:
            found = {key: (after, before) for key, (before, after) in found.items()}
        return {key: pair for key, pair in found.items() if _plain(pair[0]) != _plain(pair[1])}

    def _permit(self, asker: Asker, *, write: bool) -> None:
        if not allows(asker.principal, "write" if write else "read", Target("revision")):
            raise Denied("forbidden", f"{asker.principal.name} may not see the installation's revisions")


def _plain(item: Item | None) -> object:
    return (item.managed_by, item.team, item.body) if item is not None else None


def _unknown(number: int) -> Denied:
    return Denied("not_found", f"there is no revision {number}")
