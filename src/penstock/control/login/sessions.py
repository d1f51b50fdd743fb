"""Sessions of people: begun by a login, kept by a cookie, ended by time, a logout or a new password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Callable, Mapping

from penstock.config.document import Auth
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.control.rights import Directory
from penstock.core.permissions import ROLES, Grant, Place, Principal
from penstock.ports.control_store import Item
from penstock.ports.identity_store import Granted, IdentityStore, Session

COOKIE = "penstock"
# Browsers take it from the very host over TLS alone (RFC 6265bis, section 4.1.3.2).
SECURE_COOKIE = "__Host-penstock"
CSRF = "x-csrf-token"
CLIENT = "x-penstock-client"
SCHEME = "x-forwarded-proto"
METHOD = ":method"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SEEN_EVERY_MS = 60_000
PRUNE_EVERY_MS = 600_000
MOST_SESSIONS = 50
TOKEN_LENGTH = 43


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """What a page sends with each change: derived from the session's token, of no use without the cookie."""
    digest = hashlib.sha256(b"csrf:" + token.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_secure(headers: Mapping[str, str]) -> bool:
    """Whether the browser's connection is encrypted, as the gateway says."""
    return headers.get(SCHEME, "").lower() == "https"


def cookie_of(headers: Mapping[str, str]) -> str:
    """The session's token, empty where there is none; a plain cookie does not count on a secure connection."""
    wanted = SECURE_COOKIE if is_secure(headers) else COOKIE
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value
    return ""


def cookie_line(token: str, headers: Mapping[str, str], max_age_s: int) -> str:
    """A Set-Cookie field. `Lax`, so that who comes back from an identity provider brings it along."""
    line = f"{SECURE_COOKIE if is_secure(headers) else COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax"
    return f"{line}; Max-Age={max_age_s}" + ("; Secure" if is_secure(headers) else "")


def refuse_insecure(headers: Mapping[str, str]) -> None:
    """Nothing by which one logs in travels in the clear, except within a machine. Raises Denied."""
    client = headers.get(CLIENT, "")
    try:
        is_here = not client or ipaddress.ip_address(client).is_loopback
    except ValueError:
        is_here = False
    if not is_secure(headers) and not is_here:
        raise Denied(
            "insecure_transport",
            "log in over HTTPS: set server.tls, or name the proxy that has it in server.trusted_proxies",
        )


def refuse_foreign(headers: Mapping[str, str]) -> None:
    """What a page of another site sends is not for us (Fetch Metadata). Raises Denied."""
    if headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"}:
        raise Denied("csrf_failed", "this request comes from a page of another site")


class Sessions:
    """Begins, finds and ends sessions; an authenticator of the admin API."""

    def __init__(
        self, store: IdentityStore, directory: Directory, plane: ControlPlane, auth: Callable[[], Auth]
    ) -> None:
        self.store = store
        self._directory = directory
        self._plane = plane
        self._auth = auth
        self._pruned_ms = 0

    def begin(
        self,
        user: Item,
        method: str,
        address: str,
        grants: tuple[Granted, ...] = (),
        *,
        subject: str = "",
        sid: str = "",
    ) -> tuple[str, Session]:
        """A new session and its token. Raises StoreError."""
        now = self._plane.now_ms()
        life = self._auth().session
        if now - self._pruned_ms > PRUNE_EVERY_MS:
            self._pruned_ms = now
            self.store.prune(now, life.idle_s * 1000)
        token = secrets.token_urlsafe(32)
        session = Session(
            digest=digest_of(token), org=user.org, user=user.name, born_ms=user.created_ms, method=method,
            address=address, created_ms=now, seen_ms=now, expires_ms=now + life.absolute_s * 1000,
            grants=grants, subject=subject, sid=sid,
        )  # fmt: skip
        for old in self.store.sessions(user.org, user.name)[MOST_SESSIONS - 1 :]:
            self.store.end_session(old.digest)
        self.store.add_session(session)
        return token, session

    def find(self, token: str) -> Session | None:
        """The session of a token, if it goes on. Raises StoreError."""
        if len(token) != TOKEN_LENGTH:
            return None
        session = self.store.session(digest_of(token))
        if session is None:
            return None
        now, auth = self._plane.now_ms(), self._auth()
        life = auth.session
        user = self._directory.item("user", session.org, session.user)
        is_over = now >= min(session.expires_ms, session.seen_ms + life.idle_s * 1000)
        # Whoever closes a way of logging in wants those out who came by it.
        kind, _, name = session.method.partition(":")
        is_over = is_over or not (auth.passwords if kind == "password" else name in auth.oidc)
        if is_over or user is None or user.created_ms != session.born_ms:
            self.store.end_session(session.digest)
            return None
        if now - session.seen_ms >= SEEN_EVERY_MS:
            self.store.touch_session(session.digest, now)
        return session

    def principal(self, headers: Mapping[str, str]) -> Principal | None:
        """See control.api.auth.Authenticator; a change needs the token against forged requests, too."""
        token = cookie_of(headers)
        if not token or "authorization" in headers:
            return None
        session = self.find(token)
        if session is None:
            return None
        if headers.get(METHOD, "POST") not in SAFE:
            refuse_foreign(headers)
            if not hmac.compare_digest(headers.get(CSRF, "").encode(), csrf_of(token).encode()):
                raise Denied("csrf_failed", f"send {CSRF} with the value that GET /admin/api/session shows")
        return self.principal_of(session)

    def principal_of(self, session: Session) -> Principal:
        """Whose session it is, with the roles bound here and those that the login brought."""
        known = self._directory.subject("user", session.org, session.user)
        brought = tuple(
            Grant(role, Place(one.org, one.team))
            for one in session.grants
            for role in ROLES
            if role == one.role
        )
        return Principal(known.kind, known.name, (*known.grants, *brought), known.org, known.user)
