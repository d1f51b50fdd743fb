"""Each call of the admin API as data, for the synchronous and the asynchronous client alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

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

PREFIX = "/admin/api"
# Where an object of no organisation has its place in a path.
NO_ORG = "-"
T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and the type of its answer."""

    method: str
    path: str
    answer: Any
    query: dict[str, str] = field(default_factory=dict[str, str])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: Any = None


@dataclass(frozen=True)
class Kind:
    """A kind of object: its name in paths, the type of its objects, and whether organisations have them."""

    plural: str
    item: type
    tenant: bool

    def path(self, org: str, name: str) -> str:
        """Where one object is."""
        place = quote(name, safe="")
        if self.tenant:
            return f"{PREFIX}/orgs/{quote(org, safe='') or NO_ORG}/{self.plural}/{place}"
        return f"{PREFIX}/{self.plural}/{place}"

    def list(self, filters: dict[str, str], limit: int, cursor: str | None) -> Call[Page[Any]]:
        """One page."""
        query = {**filters, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
        return Call("GET", f"{PREFIX}/{self.plural}", Page[self.item], query)

    def get(self, org: str, name: str) -> Call[Any]:
        """One object."""
        return Call("GET", self.path(org, name), self.item)

    def put(self, org: str, name: str, spec: dict[str, Any], version: int | None, reason: str) -> Call[Any]:
        """Make or change one; `version` is what it must be at, 0 that there must be none."""
        return Call("PUT", self.path(org, name), self.item, _why(reason), _match(version), spec)

    def delete(self, org: str, name: str, version: int | None, reason: str, *, cascade: bool) -> Call[Applied]:
        """Remove one."""
        query = {**_why(reason), **({"cascade": "true"} if cascade else {})}
        return Call("DELETE", self.path(org, name), Applied, query, _match(version))


KINDS = {
    "orgs": Kind("orgs", Item, tenant=False),
    "teams": Kind("teams", Item, tenant=True),
    "users": Kind("users", Item, tenant=True),
    "service_accounts": Kind("service-accounts", Item, tenant=True),
    "role_bindings": Kind("role-bindings", Item, tenant=True),
    "keys": Kind("keys", Key, tenant=True),
    "throttles": Kind("throttles", Item, tenant=True),
    "providers": Kind("providers", Item, tenant=False),
    "deployments": Kind("deployments", Item, tenant=False),
    "guards": Kind("guards", Item, tenant=False),
    "routes": Kind("routes", Item, tenant=False),
}


def create_key(org: str, name: str, spec: dict[str, Any], reason: str) -> Call[Key]:
    """A new key with its secret."""
    body = {"name": name, "spec": spec, **({"org": org} if org else {})}
    return Call("POST", f"{PREFIX}/keys", Key, _why(reason), body=body)


def rotate_key(org: str, name: str, overlap_s: int | None, reason: str) -> Call[Key]:
    """A new secret for a key."""
    query = {**_why(reason), **({"overlap_s": str(overlap_s)} if overlap_s is not None else {})}
    return Call("POST", f"{KINDS['keys'].path(org, name)}/rotate", Key, query)


def revoke_key(org: str, name: str, reason: str) -> Call[Key]:
    """Refuse a key."""
    return Call("POST", f"{KINDS['keys'].path(org, name)}/revoke", Key, _why(reason))


def explain_route(name: str, question: dict[str, Any]) -> Call[dict[str, Any]]:
    """Where a request would be led."""
    return Call("POST", f"{KINDS['routes'].path('', name)}/explain", dict[str, Any], body=question)


def drills() -> Call[dict[str, Any]]:
    """Drills under way, and the last ones."""
    return Call("GET", f"{PREFIX}/drills", dict[str, Any])


def begin_drill(route: str, wish: dict[str, Any]) -> Call[dict[str, Any]]:
    """A drill of one route."""
    return Call("POST", f"{KINDS['routes'].path('', route)}/drill", dict[str, Any], body=wish)


def stop_drill(route: str, reason: str) -> Call[dict[str, Any]]:
    """Stop it."""
    return Call("DELETE", f"{KINDS['routes'].path('', route)}/drill", dict[str, Any], _why(reason))


def revisions(filters: dict[str, str], limit: int, cursor: str | None) -> Call[Page[Revision]]:
    """One page of the history."""
    query = {**filters, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
    return Call("GET", f"{PREFIX}/revisions", Page[Revision], query)


def revision(number: int) -> Call[Revision]:
    """One revision with its changes."""
    return Call("GET", f"{PREFIX}/revisions/{number}", Revision)


def diff(old: int, new: int | None) -> Call[Diff]:
    """What differs between two revisions."""
    query = {"to": str(new)} if new is not None else {}
    return Call("GET", f"{PREFIX}/revisions/{old}/diff", Diff, query)


def rollback(number: int, reason: str) -> Call[Applied]:
    """A new revision with the configuration of an old one."""
    return Call("POST", f"{PREFIX}/revisions/{number}/rollback", Applied, _why(reason))


def apply(changes: dict[str, Any], reason: str, *, dry_run: bool) -> Call[Apply]:
    """Several changes as one."""
    query = {**_why(reason), **({"dry_run": "true"} if dry_run else {})}
    return Call("POST", f"{PREFIX}/apply", Apply, query, body=changes)


def audit(filters: dict[str, str], limit: int, cursor: str | None) -> Call[Page[dict[str, Any]]]:
    """One page of the audit log."""
    query = {**filters, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
    return Call("GET", f"{PREFIX}/audit", Page[dict[str, Any]], query)


def verify_audit(head: str) -> Call[Verdict]:
    """Whether the audit log is whole."""
    return Call("GET", f"{PREFIX}/audit/verify", Verdict, {"head": head} if head else {})


def export_audit(filters: dict[str, str]) -> Call[bytes]:
    """The audit log as JSON lines."""
    return Call("GET", f"{PREFIX}/audit/export", bytes, filters)


def exchanges(filters: dict[str, str], limit: int, cursor: str | None) -> Call[ExchangePage]:
    """Requests under way."""
    query = {**filters, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
    return Call("GET", f"{PREFIX}/exchanges", ExchangePage, query)


def kill_exchange(request_id: str, reason: str) -> Call[Killed]:
    """Stop one."""
    return Call("DELETE", f"{PREFIX}/exchanges/{quote(request_id, safe='')}", Killed, _why(reason))


def cache_status() -> Call[CacheStatus]:
    """Kept answers."""
    return Call("GET", f"{PREFIX}/cache", CacheStatus)


def purge_cache(filters: dict[str, str], reason: str) -> Call[Purged]:
    """Take some away."""
    return Call("DELETE", f"{PREFIX}/cache", Purged, {**filters, **_why(reason)})


def metering(filters: dict[str, str], limit: int, cursor: str | None) -> Call[MeteringPage]:
    """Events for billing."""
    query = {**filters, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
    return Call("GET", f"{PREFIX}/metering", MeteringPage, query)


def export_metering(filters: dict[str, str], cursor: str | None, form: str) -> Call[bytes]:
    """All of them as lines."""
    query = {**filters, "format": form, **({"cursor": cursor} if cursor else {})}
    return Call("GET", f"{PREFIX}/metering/export", bytes, query)


def whoami() -> Call[Who]:
    """Who the caller is."""
    return Call("GET", f"{PREFIX}/whoami", Who)


def _why(reason: str) -> dict[str, str]:
    return {"reason": reason} if reason else {}


def _match(version: int | None) -> dict[str, str]:
    if version is None:
        return {}
    return {"if-none-match": "*"} if version == 0 else {"if-match": f'"{version}"'}
