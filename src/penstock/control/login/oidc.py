"""Logging in at an identity provider: the way there, the way back, and who that is here."""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from penstock.config.document import OidcProvider, Secret
from penstock.control.audit import Actor, Event
from penstock.control.login.claims import Person, person_of, wanted_claims
from penstock.control.login.provision import Provision
from penstock.control.login.sessions import CLIENT, Sessions, cookie_of, digest_of, is_secure, refuse_insecure
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.control.rights import Directory
from penstock.ports.identity_provider import (
    Answered,
    Begun,
    IdentityProviders,
    ProviderError,
    Relying,
    UntrustedError,
)
from penstock.ports.identity_store import Flow, Granted, IdentityStore, Session

LOGIN_PATH = "/admin/api/login"
# Where a browser is after a login that names no place, and after a logout at the provider.
HOME, LOGGED_OUT = "/admin/api/session", LOGIN_PATH
FLOW_MS = 600_000
FLOW_S = FLOW_MS // 1000
# Logins that one address may begin without finishing them, then the longest wait in milliseconds.
_BEGUN = (60, 60_000)
_COOKIE = "penstock-login"
_SECURE_COOKIE = "__Host-penstock-login"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
# A path of ours: nothing that a browser would take for another host.
_NEXT = re.compile(r"/(?:ui|admin)(?:[/?][A-Za-z0-9/?&=._~%+:@,;!*()$-]*)?")
LONGEST_NEXT = 1_000
LONGEST_SID = 255
log = logging.getLogger("penstock.control.login")
T = TypeVar("T")


def login_cookie(headers: Mapping[str, str]) -> str:
    """What binds a login to the browser that began it, empty where the browser has none."""
    wanted = _SECURE_COOKIE if is_secure(headers) else _COOKIE
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted and _TOKEN.fullmatch(value):
            return value
    return ""


def login_cookie_line(value: str, headers: Mapping[str, str], max_age_s: int = FLOW_S) -> str:
    """A Set-Cookie field. `Lax`: the provider sends the browser back by a link."""
    name, more = (_SECURE_COOKIE, "; Secure") if is_secure(headers) else (_COOKIE, "")
    return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{more}"


class OidcLogins:
    """Begins and finishes logins at the configured providers."""

    def __init__(
        self,
        plane: ControlPlane,
        store: IdentityStore,
        directory: Directory,
        sessions: Sessions,
        providers: IdentityProviders,
    ) -> None:
        self._plane = plane
        self._store = store
        self._directory = directory
        self._sessions = sessions
        self._providers = providers
        self._provision = Provision(plane, store, directory)

    # --- the way there ----------------------------------------------------------------------------------------

    def begin(self, name: str, then: str, headers: Mapping[str, str]) -> tuple[str, str]:
        """Where the browser goes, and the value of its login cookie. Raises Denied, StoreError.

        `then` is the path to which the browser comes at last.
        """
        refuse_insecure(headers)
        provider = self._provider(name)
        if len(then) > LONGEST_NEXT or (then and not _NEXT.fullmatch(then)):
            raise Denied("invalid_request", "`next` is a path of this control plane, such as /ui")
        now = self._plane.now_ms()
        until = self._store.attempt({f"begun:{headers.get(CLIENT, 'local')}": _BEGUN}, now)
        if until:
            wait_s = -(-(until - now) // 1000)
            told = f"too many logins were begun and not finished; try again in {wait_s} s"
            raise Denied("too_many_attempts", told, retry_after_s=wait_s)
        # Another login that this browser has begun, in another tab, stays good.
        browser = login_cookie(headers) or secrets.token_urlsafe(32)
        begun = Begun(
            redirect=self._redirect(name),
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
        )
        url = self._asked(name, lambda: self._providers.login_url(self._relying(provider), begun))
        self._store.add_flow(
            Flow(
                digest=digest_of(begun.state),
                provider=name,
                browser=digest_of(browser),
                nonce=begun.nonce,
                verifier=begun.verifier,
                next=then or HOME,
                created_ms=now,
            )
        )
        return url, browser

    # --- the way back -----------------------------------------------------------------------------------------

    def finish(
        self, name: str, answer: Mapping[str, str], headers: Mapping[str, str], request_id: str
    ) -> tuple[str, Session, str]:
        """A session's token, the session, and where the browser goes next. Raises Denied, StoreError.

        `answer` is the query with which the provider sent the browser back.
        """
        refuse_insecure(headers)
        provider = self._provider(name)
        flow = self._flow(name, answer.get("state", ""), headers)
        address = headers.get(CLIENT, "local")
        actor = Actor(name=f"oidc:{name}", kind="identity_provider", address=address, request_id=request_id)
        org = provider.org or ""
        try:
            claims = self._claims(name, provider, flow, answer)
            person = person_of(provider, claims, self._teams(org))
            user = self._provision.user(name, provider, person, str(claims["sub"]), actor)
        except Denied as denied:
            event = Event(action="login", kind="user", org=org, outcome="denied", detail=denied.detail[:500])
            self._plane.note(actor, event)
            raise
        self._store.forgive([f"begun:{address}"])
        before = cookie_of(headers)
        if before:
            # Whoever logs in again in one browser leaves nothing behind.
            self._store.end_session(digest_of(before))
        sid = claims.get("sid")
        token, session = self._sessions.begin(
            user,
            f"oidc:{name}",
            address,
            person.grants,
            subject=str(claims["sub"]),
            sid=sid[:LONGEST_SID] if isinstance(sid, str) else "",
        )
        detail = "; ".join((f"oidc:{name}", *_told(person.grants), *_left_out(person)))
        known = Actor(
            name=f"user:{org}/{user.name}" if org else f"user:{user.name}",
            kind="user", address=address, request_id=request_id,
        )  # fmt: skip
        self._plane.note(
            known, Event(action="login", kind="user", org=org, name=user.name, detail=detail[:500])
        )
        return token, session, flow.next

    def logout_url(self, session: Session) -> str:
        """Where a browser ends its session at the provider too, empty where there is nothing to end."""
        kind, _, name = session.method.partition(":")
        provider = self._plane.auth().oidc.get(name) if kind == "oidc" else None
        public = self._plane.auth().public_url
        if provider is None or public is None:
            return ""
        try:
            return self._providers.logout_url(self._relying(provider), public.rstrip("/") + LOGGED_OUT)
        except Denied:
            return ""

    def logged_out(self, name: str, token: str, headers: Mapping[str, str], request_id: str) -> int:
        """How many sessions end because the provider says so (OpenID Connect Back-Channel Logout 1.0).

        Raises Denied, StoreError.
        """
        refuse_insecure(headers)
        relying = self._relying(self._provider(name))
        now_ms = self._plane.now_ms()
        said = self._asked(name, lambda: self._providers.logged_out(relying, token, now_ms // 1000))
        if not self._store.spend(digest_of(f"{relying.issuer} {said.jti}"), said.until_s * 1000):
            raise Denied("login_refused", f"the identity provider {name!r} has sent this logout before (jti)")
        ended = self._store.end_provider_sessions(f"oidc:{name}", said.subject, said.sid)
        actor = Actor(
            name=f"oidc:{name}",
            kind="identity_provider",
            address=headers.get(CLIENT, "local"),
            request_id=request_id,
        )
        for org, user in sorted({(one.org, one.user) for one in ended}):
            detail = f"oidc:{name} ended the session there"
            self._plane.note(actor, Event(action="logout", kind="user", org=org, name=user, detail=detail))
        return len(ended)

    # --- parts ------------------------------------------------------------------------------------------------

    def _flow(self, name: str, state: str, headers: Mapping[str, str]) -> Flow:
        """The login that this answer belongs to, which thereby ends: no answer is good twice. Raises Denied."""
        again = f"begin again at {LOGIN_PATH}/{name}"
        flow = self._store.take_flow(digest_of(state)) if _TOKEN.fullmatch(state) else None
        if flow is None or flow.provider != name:
            raise Denied(
                "login_state",
                f"this answer belongs to no login that is under way (state), or was used; {again}",
            )
        if self._plane.now_ms() - flow.created_ms >= FLOW_MS:
            raise Denied("login_state", f"this login was begun more than {FLOW_S // 60} minutes ago; {again}")
        browser = login_cookie(headers)
        if not browser or not hmac.compare_digest(digest_of(browser), flow.browser):
            raise Denied(
                "login_state",
                f"this login was begun in another browser, or its cookie did not come back; {again}",
            )
        return flow

    def _claims(
        self, name: str, provider: OidcProvider, flow: Flow, answer: Mapping[str, str]
    ) -> dict[str, Any]:
        error = answer.get("error", "")
        if error:
            told = f"{_plain(error)}: {_plain(answer.get('error_description', ''))}".rstrip(": ")
            code = "login_refused" if error == "access_denied" else "provider_failed"
            raise Denied(code, f"the identity provider {name!r} ended the login: {told}")
        given = answer.get("code", "")
        if not given:
            raise Denied("provider_failed", f"the identity provider {name!r} sent neither a code nor an error")
        begun = Begun(redirect=self._redirect(name), state="", nonce=flow.nonce, verifier=flow.verifier)
        answered = Answered(code=given, issuer=answer.get("iss", ""))
        now_s = self._plane.now_ms() // 1000
        relying = self._relying(provider)
        wanted = wanted_claims(provider)
        return self._asked(name, lambda: self._providers.claims(relying, begun, answered, wanted, now_s))

    def _asked(self, name: str, ask: Callable[[], T]) -> T:
        """What a provider answers; its failures as ours. Raises Denied."""
        try:
            return ask()
        except UntrustedError as error:
            log.warning("login at %s: %s", name, error)
            raise Denied("login_refused", f"the identity provider {name!r} is not believed: {error}") from None
        except ProviderError as error:
            log.warning("login at %s: %s", name, error)
            raise Denied("provider_failed", f"the identity provider {name!r}: {error}") from None

    def _provider(self, name: str) -> OidcProvider:
        provider = self._plane.auth().oidc.get(name)
        if provider is None:
            raise Denied("not_found", f"there is no identity provider {name[:80]!r} here (auth.oidc)")
        return provider

    def _relying(self, provider: OidcProvider) -> Relying:
        return relying_of(provider, self._plane.reveal)

    def _redirect(self, name: str) -> str:
        public = self._plane.auth().public_url
        if public is None:
            raise Denied(
                "provider_failed", "auth.public_url is not set, so that providers cannot send people back"
            )
        return f"{public.rstrip('/')}{LOGIN_PATH}/{name}/callback"

    def _teams(self, org: str) -> frozenset[str]:
        return frozenset(
            item.name for item in self._directory.items() if item.kind == "team" and item.org == org
        )


def relying_of(provider: OidcProvider, reveal: Callable[[Secret], str]) -> Relying:
    """What we are at a provider. Raises what `reveal` raises."""
    secret = provider.client_secret
    return Relying(
        issuer=provider.issuer,
        client_id=provider.client_id,
        secret=reveal(secret) if secret is not None else "",
        scopes=provider.scopes,
        leeway_s=provider.leeway_s,
    )


def _told(grants: tuple[Granted, ...]) -> list[str]:
    return [
        f"{one.role} of {'/'.join(part for part in (one.org, one.team) if part) or 'all'}" for one in grants
    ]


def _left_out(person: Person) -> list[str]:
    if not person.unknown:
        return []
    return ["no team here: " + ", ".join(repr(one[:60]) for one in person.unknown[:10])]


def _plain(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())[:200]
