"""What the admin API answers, as types. A field that a newer server adds is ignored."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a change. `behind` are live gateways that did not serve it in time; they will."""

    revision: int
    changed: bool
    behind: list[str] = []


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One object. `spec` has the shape of the configuration file; `applied` comes after a change."""

    kind: str
    name: str
    managed_by: str
    version: int
    created_at: str
    updated_at: str
    spec: dict[str, Any] = {}
    org: str = ""
    applied: Applied | None = None


class PreviousSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A secret from before a rotation that still works."""

    until: str


class Key(Item, frozen=True, kw_only=True):
    """One key. `id` is its name in logs and costs; `secret` is there once, when it is made."""

    id: str
    state: str
    secret_prefix: str = ""
    rotated_at: str = ""
    previous: list[PreviousSecret] = []
    secret: str = ""

    def __repr__(self) -> str:
        return f"Key(org={self.org!r}, name={self.name!r}, state={self.state!r})"


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some of a list; `next_cursor` leads to the next ones, None where these are the last."""

    items: list[T]
    next_cursor: str | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One object that differs: None before where it was added, after where it was removed."""

    kind: str
    name: str
    org: str = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the configuration; `changes` only where one revision was asked for."""

    number: int
    created_at: str
    author: str
    origin: str
    reason: str
    content: str
    changes: list[Difference] = []


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two revisions."""

    old: int
    new: int
    changes: list[Difference]


class Apply(msgspec.Struct, frozen=True, kw_only=True):
    """What several changes as one did, or would do."""

    changes: list[Difference]
    applied: Applied | None = None


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the audit log."""

    seq: int
    problem: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the audit log is whole; `head` is worth keeping elsewhere, to compare with later."""

    valid: bool
    entries: int
    head: str
    flaws: list[Flaw] = []


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request under way. `state`: waiting, upstream or streaming; `gateway`: who serves it."""

    request_id: str
    org: str
    team: str
    user: str
    key: str
    route: str
    target: str | None
    endpoint: str
    dialect: str
    stream: bool
    session: str
    attempts: int
    state: str
    age_ms: int
    reserved_nanousd: int | None
    bytes_out: int
    gateway: str


class ExchangePage(Page[Exchange], frozen=True, kw_only=True):
    """Requests under way, the oldest first; `silent` are gateways that did not answer."""

    silent: list[str] = []


class Killed(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was stopped."""

    request_id: str
    stopped: bool


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A store of kept answers; None where it cannot tell."""

    name: str
    entries: int | None = None
    size: int | None = None
    most: int | None = None
    evicted: int | None = None
    errors: int = 0


class CacheOf(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway keeps, and what became of look-ups by route since it began."""

    gateway: str
    routes: dict[str, dict[str, int]]
    stores: list[Store]


class CacheStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The caches of a machine's gateways; `silent` did not answer."""

    items: list[CacheOf]
    silent: list[str] = []


class PurgedBy(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries a gateway took away, None where its store does not count; `why` it failed."""

    gateway: str
    taken: int | None = None
    why: str = ""


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that were asked for until `before_ms` are served by none of `gateways` any more."""

    before_ms: int
    gateways: list[PurgedBy]
    silent: list[str] = []


class MeteringPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events for billing (docs/billing.md). `resume` is where to go on later, also behind the last page."""

    items: list[dict[str, Any]]
    next_cursor: str | None = None
    resume: str | None = None


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A role at a place."""

    role: str
    org: str = ""
    team: str = ""


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who the caller is."""

    kind: str
    name: str
    grants: list[Grant] = []


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions a change ended."""

    ended: int
