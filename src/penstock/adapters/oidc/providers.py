"""ports.identity_provider over HTTP."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from penstock.adapters.oidc.fetch import JsonFetcher
from penstock.adapters.oidc.issuers import Issuers, Settings
from penstock.core.token_claims import claim_at
from penstock.ports.fetch import FetchError
from penstock.ports.identity_provider import (
    Answered,
    Begun,
    LogoutClaims,
    ProviderError,
    Relying,
    UntrustedError,
)

LONGEST_SAID = 200


class OidcProviders:
    """Asks providers on the web. `now_s` is monotonic."""

    def __init__(self, web: JsonFetcher, now_s: Callable[[], float]) -> None:
        self._web = web
        self._issuers = Issuers(web, now_s)

    def login_url(self, relying: Relying, begun: Begun) -> str:
        """See the port."""
        settings = self._issuers.settings(relying.issuer)
        scopes = dict.fromkeys(("openid", *relying.scopes))
        challenge = hashlib.sha256(begun.verifier.encode()).digest()
        return _with_query(
            settings.authorization,
            response_type="code",
            client_id=relying.client_id,
            redirect_uri=begun.redirect,
            scope=" ".join(scopes),
            state=begun.state,
            nonce=begun.nonce,
            code_challenge=base64.urlsafe_b64encode(challenge).decode().rstrip("="),
            code_challenge_method="S256",
        )

    def claims(
        self, relying: Relying, begun: Begun, answered: Answered, wanted: frozenset[str], now_s: int
    ) -> dict[str, Any]:
        """See the port."""
        from penstock.adapters.oidc.id_token import verified  # noqa: PLC0415 - 0.3 s, once somebody logs in

        issuer = relying.issuer
        settings = self._issuers.settings(issuer)
        if answered.issuer not in {issuer, ""} or (settings.says_issuer and not answered.issuer):
            raise UntrustedError("the answer comes from another issuer (iss)")
        said = self._redeem(settings, relying, begun, answered.code)
        token, access = said.get("id_token"), said.get("access_token")
        if not isinstance(token, str):
            raise ProviderError("it gave no ID token; the client must be allowed the scope openid")
        access = access if isinstance(access, str) else ""
        claims = verified(
            token, lambda kid: self._issuers.keys(issuer, kid), relying, begun.nonce, now_s, access
        )
        if settings.userinfo and access and any(claim_at(claims, name) is None for name in wanted):
            claims = {**self._userinfo(settings.userinfo, access, claims["sub"]), **claims}
        return claims

    def logout_url(self, relying: Relying, back: str) -> str:
        """See the port; OpenID Connect RP-Initiated Logout 1.0."""
        settings = self._issuers.known_settings(relying.issuer)
        if settings is None or not settings.end_session:
            return ""
        return _with_query(settings.end_session, client_id=relying.client_id, post_logout_redirect_uri=back)

    def logged_out(self, relying: Relying, token: str, now_s: int) -> LogoutClaims:
        """See the port."""
        from penstock.adapters.oidc.logout_token import verified_logout  # noqa: PLC0415 - as above

        issuer = relying.issuer
        return verified_logout(token, lambda kid: self._issuers.keys(issuer, kid), relying, now_s)

    def _redeem(self, settings: Settings, relying: Relying, begun: Begun, code: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": begun.redirect,
            "code_verifier": begun.verifier,
        }
        headers: dict[str, str] = {}
        if not relying.secret:
            form["client_id"] = relying.client_id
        elif "client_secret_basic" in settings.client_auth:
            # RFC 6749, section 2.3.1: both are encoded as forms are.
            pair = f"{quote_plus(relying.client_id)}:{quote_plus(relying.secret)}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif "client_secret_post" in settings.client_auth:
            form |= {"client_id": relying.client_id, "client_secret": relying.secret}
        else:
            raise ProviderError("it takes no client secret; remove client_secret to be a public client there")
        try:
            status, said = self._web.ask("POST", settings.token, headers=headers, form=form)
        except FetchError as error:
            raise ProviderError(f"its token endpoint does not answer: {error}") from None
        if status != 200:
            raise ProviderError(_refusal(status, said))
        return said

    def _userinfo(self, url: str, access: str, subject: str) -> dict[str, Any]:
        try:
            status, said = self._web.ask("GET", url, headers={"authorization": f"Bearer {access}"})
        except FetchError as error:
            raise ProviderError(f"its userinfo endpoint: {error}") from None
        if status != 200:
            raise ProviderError(f"its userinfo endpoint answers {status}")
        if said.get("sub") != subject:
            raise UntrustedError("its userinfo endpoint speaks of somebody else (sub)")
        return said


def _refusal(status: int, said: dict[str, Any]) -> str:
    """What a token endpoint's refusal means (RFC 6749, section 5.2)."""
    code = said_by(said.get("error"))
    means = {
        "invalid_client": "; look at client_id and client_secret",
        "invalid_grant": "; the code was used already or is too old: begin again",
        "unauthorized_client": "; allow this client the authorization code there",
        "redirect_uri_mismatch": "; register the address of auth.public_url there",
    }.get(code, "")
    told = said_by(said.get("error_description"))
    return f"its token endpoint answers {status} {code}{f' ({told})' if told else ''}{means}"


def said_by(value: object) -> str:
    """Somebody else's text, short and in one line."""
    text = value if isinstance(value, str) else ""
    return "".join(sign for sign in text if sign.isprintable())[:LONGEST_SAID]


def _with_query(url: str, **fields: str) -> str:
    """An endpoint may have a query of its own (RFC 6749, section 3.1)."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"
