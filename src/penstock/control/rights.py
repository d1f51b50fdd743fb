"""Who somebody is: role bindings become grants, and a key's secret leads to whose it is."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable

from penstock.config.merge import PREVIOUS, SECRET_HASH, is_active
from penstock.config.values import BadValueError, moment
from penstock.core.permissions import ROLES, Grant, Place, Principal, PrincipalKind, may_grant
from penstock.ports.control_store import ControlStore, Item, Kind

# Whoever holds the state directory, or the admin key, owns the installation.
OWNER = (Grant("owner"),)


def grants_of(items: Iterable[Item], kind: str, org: str, name: str) -> tuple[Grant, ...]:
    """The roles that a user or service account holds."""
    return tuple(
        Grant(role, Place(one.org, one.team))
        for one in items
        if one.kind == "role_binding" and one.org == org and one.body.get(kind) == name
        for role in ROLES
        if one.body.get("role") == role
    )


def may_act_for(principal: Principal, items: Iterable[Item], kind: str, org: str, name: str) -> bool:
    """Whether the principal may make a credential for somebody else: it could grant as much."""
    if principal.kind == kind and (principal.org, principal.user) == (org, name):
        return True
    return all(may_grant(principal, grant.role, grant.place) for grant in grants_of(items, kind, org, name))


class Directory:
    """The principals behind secrets of keys that open the admin API, kept in memory until the next revision."""

    def __init__(self, store: ControlStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._head = -1
        self._items: list[Item] = []
        self._by_key: dict[tuple[Kind, str, str], Item] = {}
        self._keys: dict[str, tuple[Item, str]] = {}

    def principal(self, secret: str, now_ms: int) -> Principal | None:
        """Whose key this is, None where it is none, or none that opens the admin API now. Raises StoreError."""
        digest = hashlib.sha256(secret.encode()).hexdigest()
        with self._lock:
            self._refresh()
            found = self._keys.get(digest)
            if found is None:
                return None
            key, until = found
            if _over(until, now_ms) or _over(str(key.body.get("expires_at", "")), now_ms):
                return None
            return self._owner(key)

    def subject(self, kind: PrincipalKind, org: str, name: str) -> Principal:
        """A user or service account with the roles that it holds now. Raises StoreError."""
        with self._lock:
            self._refresh()
            return self._subject(kind, org, name)

    def item(self, kind: Kind, org: str, name: str) -> Item | None:
        """An object that exists now, as somebody who logs in must. Raises StoreError."""
        with self._lock:
            self._refresh()
            return self._by_key.get((kind, org, name))

    def items(self) -> list[Item]:
        """All objects as they are now. Raises StoreError."""
        with self._lock:
            self._refresh()
            return self._items

    def _owner(self, key: Item) -> Principal | None:
        kind: PrincipalKind = "service_account" if "service_account" in key.body else "user"
        name = key.body.get(kind)
        return self._subject(kind, key.org, name) if isinstance(name, str) else None

    def _subject(self, kind: PrincipalKind, org: str, name: str) -> Principal:
        label = f"{kind.replace('_', '-')}:{org}/{name}" if org else f"{kind.replace('_', '-')}:{name}"
        return Principal(kind, label, grants_of(self._items, kind, org, name), org, name)

    def _refresh(self) -> None:
        with self._store.reading() as reading:
            head = reading.head()
            if head == self._head:
                return
            self._items = reading.all_items()
        self._head = head
        self._by_key = {item.key: item for item in self._items}
        self._keys = {}
        for item in self._items:
            if item.kind != "key" or item.body.get("admin_api") is not True or not is_active(item):
                continue
            self._keys[str(item.body.get(SECRET_HASH))] = (item, "")
            for one in item.body.get(PREVIOUS, []):
                self._keys[one["sha256"]] = (item, one["until"])


def _over(until: str, now_ms: int) -> bool:
    """Whether a moment has passed; one that cannot be read has."""
    if not until:
        return False
    try:
        return moment(until) <= now_ms
    except BadValueError:
        return True
