"""Who sends a request: one list of authenticators, asked in turn."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from penstock.control.admin_key import stored_hash
from penstock.control.audit import Actor, Event
from penstock.control.login.sessions import cookie_of
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.control.rights import OWNER, Directory
from penstock.core.permissions import Principal

# Who forwards a request to control's socket says here whom it came from. Only the user that runs Penstock can
# connect to the socket, and the gateway removes these headers from what it forwards.
CLIENT = "x-penstock-client"
OS_USER = "x-penstock-os-user"
LONGEST_NAME = 64
_HINT = "log in (GET /admin/api/login has the ways), or send an admin credential as `Authorization: Bearer …`"


class Authenticator(Protocol):
    """Knows one kind of credential."""

    def principal(self, headers: Mapping[str, str]) -> Principal | None:
        """Who sends these headers (lower-case names, and `:method`), None where it cannot tell.

        Raises StoreError, and Denied for a credential that is good, but not for this request.
        """
        ...


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header, empty where there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class OperatorToken:
    """Whoever can read the state directory: the commands of this machine, by a token that lies there."""

    def __init__(self, token: str) -> None:
        self._digest = hashlib.sha256(token.encode()).digest()

    def principal(self, headers: Mapping[str, str]) -> Principal | None:
        """See Authenticator."""
        given = hashlib.sha256(bearer(headers).encode()).digest()
        if not hmac.compare_digest(given, self._digest):
            return None
        user = "".join(c for c in headers.get(OS_USER, "") if c.isalnum() or c in "._-")[:LONGEST_NAME]
        return Principal("operator", f"operator:{user}" if user else "operator", OWNER)


class AdminKey:
    """The key that a set-up without keys begins with."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def principal(self, headers: Mapping[str, str]) -> Principal | None:
        """See Authenticator."""
        wanted, given = stored_hash(self._path), hashlib.sha256(bearer(headers).encode()).hexdigest()
        if wanted is None or not hmac.compare_digest(given, wanted):
            return None
        return Principal("admin_key", "admin-key", OWNER)


class AdminVirtualKeys:
    """Virtual keys with `admin_api: true`, which act for their user or service account."""

    def __init__(self, directory: Directory, plane: ControlPlane) -> None:
        self._directory = directory
        self._plane = plane

    def principal(self, headers: Mapping[str, str]) -> Principal | None:
        """See Authenticator."""
        secret = bearer(headers)
        return self._directory.principal(secret, self._plane.now_ms()) if secret else None


class Authentication:
    """All authenticators; failures are written to the audit log, bounded for each address."""

    def __init__(self, plane: ControlPlane, authenticators: Sequence[Authenticator]) -> None:
        self._plane = plane
        self._authenticators = tuple(authenticators)
        self._failures = FailureBound()

    def asker(self, headers: Mapping[str, str], request_id: str) -> Asker:
        """Who asks. Raises Denied, StoreError."""
        address = headers.get(CLIENT, "local")
        for one in self._authenticators:
            principal = one.principal(headers)
            if principal is not None:
                actor = Actor(name=principal.name, kind=principal.kind, address=address, request_id=request_id)
                return Asker(principal, actor)
        given = bearer(headers)
        if not given and cookie_of(headers):
            self._failed(address, request_id, "no session, or one that has ended")
            raise Denied(
                "unauthenticated", "this session has ended; GET /admin/api/login has the ways to log in"
            )
        self._failed(address, request_id, "an unknown credential" if given else "no credential")
        raise Denied("unauthenticated", _HINT)

    def _failed(self, address: str, request_id: str, what: str) -> None:
        suppressed = self._failures.count(address, self._plane.now_ms())
        if suppressed is None:
            return
        more = f"; {suppressed} more like it were not written down" if suppressed else ""
        actor = Actor(name="", kind="unknown", address=address, request_id=request_id)
        self._plane.note(actor, Event(action="authenticate", outcome="denied", detail=what + more))


class FailureBound:
    """At most so many entries a minute for each address, so that nobody can fill the log from outside."""

    PER_MINUTE = 10
    MOST_ADDRESSES = 1000

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int]] = {}

    def count(self, address: str, now_ms: int) -> int | None:
        """How many were left out since the last entry, None where this one is to be left out."""
        minute = now_ms // 60_000
        began, number = self._seen.pop(address, (minute, 0))
        left_out = 0
        if began != minute:
            left_out, number = max(0, number - self.PER_MINUTE), 0
        self._seen[address] = (minute, number + 1)
        while len(self._seen) > self.MOST_ADDRESSES:
            del self._seen[next(iter(self._seen))]
        return left_out if number < self.PER_MINUTE else None
