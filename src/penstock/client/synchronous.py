"""The synchronous client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import httpx

from penstock.client import calls
from penstock.client.calls import Call, Kind
from penstock.client.carrying import TIMEOUT_S, request_of, settings_of, unreachable, value_of
from penstock.client.models import (
    Applied,
    Apply,
    CacheStatus,
    Diff,
    ExchangePage,
    Item,
    Key,
    Killed,
    MeteringPage,
    Page,
    Purged,
    Revision,
    Verdict,
    Who,
)
from penstock.client.place import SocketPlace

PAGE = 100
T = TypeVar("T")
ItemT = TypeVar("ItemT", bound=Item)


class Objects(Generic[ItemT]):
    """The objects of one kind. `org` is empty for what belongs to no organisation."""

    def __init__(self, client: Client, kind: Kind) -> None:
        self._client = client
        self._kind = kind

    def page(self, *, limit: int = PAGE, cursor: str | None = None, **filters: str) -> Page[ItemT]:
        """One page; filters are `org`, `team`, `managed_by` and `prefix`."""
        return self._client.send(self._kind.list(filters, limit, cursor))

    def list(self, **filters: str) -> Iterator[ItemT]:
        """All of them, page by page. Raises ProblemError, UnreachableError."""
        cursor: str | None = None
        while True:
            page = self._client.send(self._kind.list(filters, PAGE, cursor))
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def get(self, name: str, *, org: str = "") -> ItemT:
        """One object. Raises ProblemError, UnreachableError."""
        return self._client.send(self._kind.get(org, name))

    def put(
        self, name: str, spec: dict[str, Any], *, org: str = "", version: int | None = None, reason: str = ""
    ) -> ItemT:
        """Make or change one, the same again changing nothing.

        `version` is the one that it must be at, 0 that there must be none yet. Raises ProblemError,
        UnreachableError.
        """
        return self._client.send(self._kind.put(org, name, spec, version, reason))

    def delete(
        self, name: str, *, org: str = "", version: int | None = None, reason: str = "", cascade: bool = False
    ) -> Applied:
        """Remove one; with `cascade` what belongs to it, too. Raises ProblemError, UnreachableError."""
        return self._client.send(self._kind.delete(org, name, version, reason, cascade=cascade))


class Keys(Objects[Key]):
    """Virtual keys."""

    def create(self, name: str, *, org: str = "", spec: dict[str, Any] | None = None, reason: str = "") -> Key:
        """A new key; its `secret` is shown this once. Raises ProblemError, UnreachableError."""
        return self._client.send(calls.create_key(org, name, spec or {}, reason))

    def rotate(self, name: str, *, org: str = "", overlap_s: int | None = None, reason: str = "") -> Key:
        """A new secret; the one before works for `overlap_s` more. Raises ProblemError, UnreachableError."""
        return self._client.send(calls.rotate_key(org, name, overlap_s, reason))

    def revoke(self, name: str, *, org: str = "", reason: str = "") -> Key:
        """Refuse a key from now on, for good. Raises ProblemError, UnreachableError."""
        return self._client.send(calls.revoke_key(org, name, reason))


class Client:
    """The admin API at a URL, or behind the Unix socket of control on this machine.

    Every method raises ProblemError where the server refuses, and UnreachableError where nothing answers.
    """

    def __init__(
        self,
        url: str = "http://penstock",
        *,
        token: str,
        socket: Path | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`socket`: the path of control's socket, instead of the network."""
        self._place = SocketPlace(socket) if socket is not None else None
        transport = httpx.HTTPTransport(uds=self._place.name) if self._place is not None else None
        self._http = httpx.Client(transport=transport, **settings_of(url, token, socket, headers, timeout_s))
        kinds = calls.KINDS
        self.orgs: Objects[Item] = Objects(self, kinds["orgs"])
        self.teams: Objects[Item] = Objects(self, kinds["teams"])
        self.users: Objects[Item] = Objects(self, kinds["users"])
        self.service_accounts: Objects[Item] = Objects(self, kinds["service_accounts"])
        self.role_bindings: Objects[Item] = Objects(self, kinds["role_bindings"])
        self.keys = Keys(self, kinds["keys"])
        self.throttles: Objects[Item] = Objects(self, kinds["throttles"])
        self.providers: Objects[Item] = Objects(self, kinds["providers"])
        self.deployments: Objects[Item] = Objects(self, kinds["deployments"])
        self.guards: Objects[Item] = Objects(self, kinds["guards"])
        self.routes: Objects[Item] = Objects(self, kinds["routes"])

    def __enter__(self) -> Self:
        """Use it in a block that closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()
        if self._place is not None:
            self._place.close()

    def explain_route(self, name: str, question: dict[str, Any]) -> dict[str, Any]:
        """Where a request would be led, and why. Raises ProblemError, UnreachableError.

        `question` has the request's `body`, and may have `path`, `key`, `user`, `tags` and `draw`.
        """
        return self.send(calls.explain_route(name, question))

    def drills(self) -> dict[str, Any]:
        """Failover drills: `running` in this machine's gateways, and the `last` one of each route."""
        return self.send(calls.drills())

    def begin_drill(self, route: str, wish: dict[str, Any]) -> dict[str, Any]:
        """Lead a share of a route's traffic to a fallback for a while. Raises ProblemError, UnreachableError.

        `wish` has `to`, and may have `percent`, `for_s`, `max_cost_ratio`, `max_slowdown` and `reason`.
        """
        return self.send(calls.begin_drill(route, wish))

    def stop_drill(self, route: str, *, reason: str = "") -> dict[str, Any]:
        """Stop the drill of a route. Raises ProblemError, UnreachableError."""
        return self.send(calls.stop_drill(route, reason))

    def send(self, call: Call[T]) -> T:
        """Carry out one call."""
        request = request_of(call, self._place.path if self._place is not None else None)
        try:
            answer = self._http.request(**request)
        except httpx.HTTPError as error:
            raise unreachable(self._http.base_url, error) from None
        return value_of(call, answer)

    def whoami(self) -> Who:
        """Who the caller is there."""
        return self.send(calls.whoami())

    def revisions(self, *, limit: int = PAGE, cursor: str | None = None, **filters: str) -> Page[Revision]:
        """One page of the history, the newest first; filters are `author` and `origin`."""
        return self.send(calls.revisions(filters, limit, cursor))

    def revision(self, number: int) -> Revision:
        """One revision with what it changed."""
        return self.send(calls.revision(number))

    def diff(self, old: int, new: int | None = None) -> Diff:
        """What differs between two revisions; `new` is the newest where it is not named."""
        return self.send(calls.diff(old, new))

    def rollback(self, number: int, *, reason: str = "") -> Applied:
        """A new revision with the configuration of an old one; keys, people and roles stay."""
        return self.send(calls.rollback(number, reason))

    def apply(self, changes: dict[str, Any], *, reason: str = "", dry_run: bool = False) -> Apply:
        """Several changes as one revision, `{"set": …, "remove": …}`; `dry_run`: only say what would change."""
        return self.send(calls.apply(changes, reason, dry_run=dry_run))

    def audit(self, *, limit: int = PAGE, cursor: str | None = None, **filters: str) -> Page[dict[str, Any]]:
        """One page of the audit log, the newest first; filters are those of the API."""
        return self.send(calls.audit(filters, limit, cursor))

    def verify_audit(self, head: str = "") -> Verdict:
        """Whether the audit log is whole; `head` is one that was noted earlier."""
        return self.send(calls.verify_audit(head))

    def export_audit(self, **filters: str) -> bytes:
        """The audit log as JSON lines, the oldest entry first; filters are `since` and `until`."""
        return self.send(calls.export_audit(filters))

    def exchanges(self, *, limit: int = PAGE, cursor: str | None = None, **filters: str) -> ExchangePage:
        """One page of the requests under way; filters are `org`, `team`, `user`, `key`, `route`, `target`."""
        return self.send(calls.exchanges(filters, limit, cursor))

    def kill_exchange(self, request_id: str, *, reason: str = "") -> Killed:
        """Stop a request that is under way: its client gets `403 exchange_killed`."""
        return self.send(calls.kill_exchange(request_id, reason))

    def cache(self) -> CacheStatus:
        """What the gateways of the machine keep of answers."""
        return self.send(calls.cache_status())

    def purge_cache(self, *, reason: str = "", **filters: str) -> Purged:
        """Take kept answers away; filters are `org`, `route`, `tag`, `key`, `user`, `entry`, `all`."""
        return self.send(calls.purge_cache(filters, reason))

    def metering(self, *, limit: int = PAGE, cursor: str | None = None, **filters: str) -> MeteringPage:
        """One page of events for billing; filters are `since`, `until`, `tag` (`NAME=VALUE`), and names."""
        return self.send(calls.metering(filters, limit, cursor))

    def export_metering(self, *, cursor: str | None = None, form: str = "jsonl", **filters: str) -> bytes:
        """All events for billing behind a cursor, as `jsonl` or `csv`; filters as for `metering`."""
        return self.send(calls.export_metering(filters, cursor, form))
