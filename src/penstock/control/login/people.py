"""Logging in with a password, and setting one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from penstock.config.document import Auth
from penstock.control.audit import Actor, Event
from penstock.control.login.passwords import Passwords, check_password
from penstock.control.login.sessions import CLIENT, Sessions, refuse_foreign, refuse_insecure
from penstock.control.objects import Asker, Objects, forbidden, missing
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.control.rights import Directory, may_act_for
from penstock.core.permissions import Action, Place, Target, allows
from penstock.ports.control_store import Item
from penstock.ports.identity_store import Identity, IdentityStore, Password, Session

# Free attempts, then the longest wait: for one account from one address, for one address, for one account. The
# last one is short, or anybody could keep a person out.
_PAIR, _ADDRESS, _ACCOUNT = (5, 900_000), (30, 900_000), (50, 30_000)
_WRONG = "the name or the password is not right"


class People:
    """What people do with their passwords and sessions, and what others may do with them."""

    def __init__(
        self,
        plane: ControlPlane,
        store: IdentityStore,
        directory: Directory,
        sessions: Sessions,
        auth: Callable[[], Auth],
    ) -> None:
        self._plane = plane
        self._store = store
        self._directory = directory
        self._auth = auth
        self._passwords = Passwords()
        self.sessions = sessions

    # --- logging in -------------------------------------------------------------------------------------------

    def log_in(
        self, org: str, user: str, password: str, headers: Mapping[str, str], request_id: str
    ) -> tuple[str, Session]:
        """A session's token. Raises Denied, StoreError."""
        refuse_insecure(headers)
        refuse_foreign(headers)
        address = headers.get(CLIENT, "local")
        if not self._auth().passwords:
            raise Denied("forbidden", "passwords are switched off (auth.passwords); use an identity provider")
        account = f"{org}/{user}"[:300]
        names = {
            f"pair:{account}@{address}": _PAIR,
            f"address:{address}": _ADDRESS,
            f"account:{account}": _ACCOUNT,
        }
        now = self._plane.now_ms()
        # Counted before it is compared: many at once must not all find the count of before.
        until = self._store.attempt(names, now)
        if until:
            wait_s = -(-(until - now) // 1000)
            raise Denied(
                "too_many_attempts", f"too many attempts; try again in {wait_s} s", retry_after_s=wait_s
            )
        item, kept = self._known(org, user)
        if not self._passwords.matches(kept.hash if kept is not None else None, password) or item is None:
            self._note(org, user, address, request_id, "failed", "password")
            raise Denied("login_failed", _WRONG)
        self._store.forgive(list(names))
        if kept is not None and self._passwords.is_old(kept.hash):
            self._keep(item, password)
        token, session = self.sessions.begin(item, "password", address)
        self._note(org, user, address, request_id, "done", "password")
        return token, session

    def _known(self, org: str, user: str) -> tuple[Item | None, Password | None]:
        item = self._directory.item("user", org, user)
        kept = self._store.password(org, user) if item is not None else None
        if item is None or kept is None or kept.born_ms != item.created_ms:
            return item, None
        return item, kept

    def _note(
        self,
        org: str,
        user: str,
        address: str,
        request_id: str,
        outcome: str,
        detail: str,
        action: str = "login",
    ) -> None:
        known = outcome == "done"
        name = f"user:{org}/{user}" if org else f"user:{user}"
        actor = Actor(
            name=name if known else "",
            kind="user" if known else "unknown",
            address=address,
            request_id=request_id,
        )
        event = Event(
            action=action,
            kind="user",
            org=org[:128],
            name=user[:128],
            outcome="done" if known else "denied",
            detail=detail,
        )
        self._plane.note(actor, event)

    # --- passwords --------------------------------------------------------------------------------------------

    def set_password(
        self, asker: Asker, org: str, user: str, password: str, current: str, token: str = ""
    ) -> int:
        """Set one's own, or another's where one could act for them; says how many sessions that ended.

        Raises Denied, StoreError.
        """
        item = self._reachable(asker, org, user, "write")
        if _is(asker, item):
            _, kept = self._known(org, user)
            if kept is not None and not self._passwords.matches(kept.hash, current):
                raise Denied("login_failed", "`current` is not the password that you have now")
        check_password(password, user)
        self._keep(item, password)
        ended = self._store.end_sessions(org, user, but=token)
        self._audited(asker, item, "set_password")
        return ended

    def forget_password(self, asker: Asker, org: str, user: str) -> None:
        """Let them log in at an identity provider alone. Raises Denied, StoreError."""
        item = self._reachable(asker, org, user, "write")
        if self._store.forget_password(org, user):
            self._store.end_sessions(org, user)
            self._audited(asker, item, "forget_password")

    def _keep(self, item: Item, password: str) -> None:
        self._store.keep_password(
            Password(
                org=item.org,
                user=item.name,
                born_ms=item.created_ms,
                hash=self._passwords.hashed(password),
                changed_ms=self._plane.now_ms(),
            )
        )

    # --- sessions ---------------------------------------------------------------------------------------------

    def sessions_of(self, asker: Asker, org: str, user: str) -> list[Session]:
        """Where somebody is logged in. Raises Denied, StoreError."""
        self._reachable(asker, org, user, "read")
        return self._store.sessions(org, user)

    def log_out_everywhere(self, asker: Asker, org: str, user: str, but: str = "") -> int:
        """End all sessions of somebody; says how many. Raises Denied, StoreError."""
        item = self._reachable(asker, org, user, "write")
        ended = self._store.end_sessions(org, user, but=but)
        if ended:
            self._audited(asker, item, "logout_everywhere")
        return ended

    def log_out(self, asker: Asker, digest: str) -> None:
        """End one of one's own sessions. Raises StoreError."""
        if self._store.end_session(digest):
            principal = asker.principal
            event = Event(action="logout", kind="user", org=principal.org, name=principal.user)
            self._plane.note(asker.actor, event)

    # --- identity providers -----------------------------------------------------------------------------------

    def identities_of(self, asker: Asker, org: str, user: str) -> list[Identity]:
        """The identity providers' subjects that somebody is. Raises Denied, StoreError."""
        item = self._reachable(asker, org, user, "read")
        return [one for one in self._store.identities(org, user) if one.born_ms == item.created_ms]

    def unlink(self, asker: Asker, org: str, user: str) -> int:
        """Let whoever comes next under this name be somebody else; says how many sessions that ended.

        Raises Denied, StoreError.
        """
        item = self._reachable(asker, org, user, "write")
        if not self._store.unlink(org, user):
            return 0
        ended = self._store.end_sessions(org, user)
        self._audited(asker, item, "unlink")
        return ended

    # --- rules ------------------------------------------------------------------------------------------------

    def _reachable(self, asker: Asker, org: str, user: str, action: Action) -> Item:
        """A user whose login is the asker's own, or one for whom the asker may act. Raises Denied."""
        item = self._directory.item("user", org, user)
        if item is None:
            raise missing("user", org, user)
        if _is(asker, item):
            return item
        target = Target("user", Place(org))
        if not allows(asker.principal, "read", target):
            raise missing("user", org, user)
        # Whoever sets a password can be that person, so it takes all that they have (rights.may_act_for).
        acts = may_act_for(asker.principal, self._directory.items(), "user", org, user)
        if allows(asker.principal, "write", target) and acts:
            return item
        refusal = forbidden(asker.principal, action, "user")
        Objects(self._plane).audited(asker, action, "user", org, user, lambda: _raise(refusal))
        raise refusal

    def _audited(self, asker: Asker, item: Item, action: str) -> None:
        self._plane.note(asker.actor, Event(action=action, kind="user", org=item.org, name=item.name))


def _is(asker: Asker, item: Item) -> bool:
    principal = asker.principal
    return principal.kind == "user" and (principal.org, principal.user) == (item.org, item.name)


def _raise(denied: Denied) -> None:
    raise denied
