"""Where control keeps what it manages: objects, revisions, the audit log, and what gateways serve.

A store has transactions of two kinds. A *reading* sees one state; a *writing* excludes all others, those of
other machines included, and is kept whole or not at all. Nothing else waits for a writing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

import msgspec

Kind = Literal[
    "settings", "provider", "deployment", "guard", "route", "org", "team", "user", "service_account",
    "role_binding", "key", "throttle",
]  # fmt: skip
ManagedBy = Literal["file", "environment", "api"]
Origin = Literal["file", "api", "rollback"]


class StoreError(Exception):
    """The store cannot be reached or answers with an error; trying again may help."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One object. `org`, `team` are whose it is, empty for what belongs to the installation.

    `body` is JSON in the shape of the configuration file (`config.source`), secrets in their stored form;
    `version` is the number of the revision that changed it last.
    """

    kind: Kind
    org: str = ""
    name: str
    team: str = ""
    managed_by: ManagedBy = "api"
    body: dict[str, Any]
    version: int = 0
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def key(self) -> tuple[Kind, str, str]:
        """What no two objects share."""
        return (self.kind, self.org, self.name)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one revision did to one object: None before what it made, None after what it removed."""

    kind: Kind
    org: str
    name: str
    before: Item | None
    after: Item | None


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the configuration, for ever as it was.

    `content` is the snapshot's revision that it led to (`config.snapshot.revision_of`).
    """

    number: int
    created_ms: int
    author: str
    origin: Origin
    reason: str
    content: str


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One link of the audit chain: `entry` is the JSON text whose digest, with `previous`, is `digest`.

    The other fields repeat what the entry says, so that it can be searched.
    """

    seq: int
    entry: str
    previous: str
    digest: str
    ts_ms: int
    actor: str
    action: str
    kind: str
    org: str
    team: str
    name: str
    outcome: str


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """Which revision one gateway serves, by number, as its machine's control last said."""

    boot: str
    machine: str
    number: int
    seen_ms: int


Scopes = tuple[tuple[str, str], ...]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Which objects of a kind, ordered by organisation and name.

    `scopes` are the (org, team) that the asker may see, an empty team meaning the whole organisation; None is
    everything. `after` is the (org, name) of the last one that was seen.
    """

    kind: Kind
    org: str | None = None
    team: str | None = None
    managed_by: ManagedBy | None = None
    prefix: str = ""
    scopes: Scopes | None = None
    after: tuple[str, str] | None = None
    limit: int = 100


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries, the newest first unless `oldest_first`; `after` is the last sequence number seen."""

    actor: str | None = None
    action: str | None = None
    kind: str | None = None
    org: str | None = None
    name: str | None = None
    outcome: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    scopes: Scopes | None = None
    after: int | None = None
    limit: int = 100
    oldest_first: bool = False


class RevisionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which revisions, the newest first; `before` is the last number that was seen."""

    author: str | None = None
    origin: Origin | None = None
    before: int | None = None
    limit: int = 100


class Reading(Protocol):
    """What can be asked; every method raises StoreError."""

    def head(self) -> int:
        """The number of the newest revision, 0 where there is none."""
        ...

    def item(self, kind: Kind, org: str, name: str) -> Item | None:
        """One object."""
        ...

    def items(self, query: Query) -> list[Item]:
        """One page of objects."""
        ...

    def all_items(self) -> list[Item]:
        """Every object of every kind, by kind, organisation and name."""
        ...

    def revision(self, number: int) -> Revision | None:
        """One revision."""
        ...

    def revisions(self, query: RevisionQuery) -> list[Revision]:
        """One page of revisions."""
        ...

    def changes(self, after: int, upto: int) -> list[tuple[int, Change]]:
        """What the revisions in (after, upto] did, the oldest first, each with the revision's number."""
        ...

    def audit(self, query: AuditQuery) -> list[AuditRow]:
        """One page of the audit log."""
        ...

    def note(self, name: str) -> str | None:
        """A small thing kept under a name."""
        ...

    def served(self, since_ms: int) -> list[Served]:
        """What gateways serve that were heard of since."""
        ...


class Writing(Reading, Protocol):
    """What can be done, besides; every method raises StoreError."""

    def put(self, item: Item) -> None:
        """Make or replace an object."""
        ...

    def remove(self, kind: Kind, org: str, name: str) -> None:
        """Remove an object."""
        ...

    def add_revision(self, revision: Revision, changes: list[Change]) -> None:
        """Keep the next revision; its number is `head() + 1`."""
        ...

    def add_audit(self, row: AuditRow) -> None:
        """Append to the audit log."""
        ...

    def keep_note(self, name: str, value: str) -> None:
        """Keep a small thing under a name."""
        ...

    def say_served(self, served: list[Served], forget_before_ms: int) -> None:
        """Keep what gateways serve, and forget those not heard of for long."""
        ...


class ControlStore(Protocol):
    """One database."""

    def prepare(self) -> None:
        """Bring the tables to this version's form, one process at a time. Raises StoreError."""
        ...

    def reading(self) -> AbstractContextManager[Reading]:
        """A state that does not change while it is looked at. Raises StoreError."""
        ...

    def writing(self) -> AbstractContextManager[Writing]:
        """Alone until the block ends; kept if it ends well, undone if it raises. Raises StoreError."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...
