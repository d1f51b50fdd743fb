"""Where control keeps how people log in: password hashes, sessions, attempts, links to identity providers.

Apart from ports.control_store, because nothing here is configuration: it has no revisions. Every method is one
transaction and raises ports.control_store.StoreError. `born_ms` is when the user was created:
what was kept for an earlier user of the same name is nobody's any more.
"""

from __future__ import annotations

from typing import Protocol

import msgspec


class Password(msgspec.Struct, frozen=True, kw_only=True):
    """The hash of a user's password, in the form that says with which parameters it was made."""

    org: str
    user: str
    born_ms: int
    hash: str
    changed_ms: int

    def __repr__(self) -> str:
        """Without the hash."""
        return f"Password({self.org}/{self.user})"


class Granted(msgspec.Struct, frozen=True):
    """A role at a place that an identity provider's claims gave for one session."""

    role: str
    org: str = ""
    team: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is logged in. `digest` is the SHA-256 of the token that the browser holds.

    `method` is `password` or `oidc:NAME`; `seen_ms` is kept to the minute. `subject` and `sid` are how the
    provider names the person and its own session, empty where it does not.
    """

    digest: str
    org: str
    user: str
    born_ms: int
    method: str
    address: str
    created_ms: int
    seen_ms: int
    expires_ms: int
    grants: tuple[Granted, ...] = ()
    subject: str = ""
    sid: str = ""


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A login at a provider that has begun. `digest` is that of its state, `browser` of the cookie."""

    digest: str
    provider: str
    browser: str
    nonce: str
    verifier: str
    next: str
    created_ms: int


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a provider's subject is in an organisation, or, where that is empty, in the installation."""

    issuer: str
    subject: str
    org: str
    user: str
    born_ms: int


class IdentityStore(Protocol):
    """One database."""

    def password(self, org: str, user: str) -> Password | None:
        """A user's password."""
        ...

    def keep_password(self, password: Password) -> None:
        """Set or replace one."""
        ...

    def forget_password(self, org: str, user: str) -> bool:
        """Remove one; whether there was one."""
        ...

    def session(self, digest: str) -> Session | None:
        """A session, whether it has expired or not."""
        ...

    def sessions(self, org: str, user: str) -> list[Session]:
        """A user's sessions, the newest first."""
        ...

    def add_session(self, session: Session) -> None:
        """Keep a new one."""
        ...

    def touch_session(self, digest: str, seen_ms: int) -> None:
        """It was used."""
        ...

    def end_session(self, digest: str) -> bool:
        """Remove one; whether there was one."""
        ...

    def end_sessions(self, org: str, user: str, but: str = "") -> int:
        """Remove all of a user's sessions except the one with the digest `but`; says how many."""
        ...

    def end_provider_sessions(self, method: str, subject: str, sid: str) -> list[Session]:
        """Remove and return the sessions begun by `method` that a provider names.

        By its session where it names one, else all of the subject; a session that the provider named by its
        subject alone ends in either case. What is empty is not asked for.
        """
        ...

    def spend(self, digest: str, until_ms: int) -> bool:
        """Remember until then that a token was used; False where it was before."""
        ...

    def attempt(self, bounds: dict[str, tuple[int, int]], now_ms: int) -> int:
        """Count an attempt under each name, or none of them if one is blocked; when it may be tried, else 0.

        A bound is how many attempts are free and the longest wait in milliseconds; after the free ones the wait
        doubles with each. An hour without an attempt forgets them.
        """
        ...

    def forgive(self, names: list[str]) -> None:
        """Forget the attempts under these names."""
        ...

    def add_flow(self, flow: Flow) -> None:
        """Keep a login that has begun."""
        ...

    def take_flow(self, digest: str) -> Flow | None:
        """Remove and return one: none can be used twice."""
        ...

    def identity(self, issuer: str, subject: str, org: str) -> Identity | None:
        """Who a provider's subject is in an organisation."""
        ...

    def identities(self, org: str, user: str) -> list[Identity]:
        """A user's links."""
        ...

    def link(self, identity: Identity) -> None:
        """Keep who a provider's subject is, instead of whoever it was."""
        ...

    def unlink(self, org: str, user: str) -> int:
        """Forget all of a user's links; says how many."""
        ...

    def prune(self, now_ms: int, idle_ms: int) -> None:
        """Forget sessions that have ended, logins that were not finished, attempts of yesterday."""
        ...
