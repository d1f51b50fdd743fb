"""How control logs people in at identity providers: OpenID Connect Core 1.0, authorization code with PKCE."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec


class ProviderError(Exception):
    """A provider cannot be asked, or does not answer as it should; the message says why and holds no secret."""


class UntrustedError(ProviderError):
    """What a provider says cannot be believed: its ID token is not what it must be."""


class Relying(msgspec.Struct, frozen=True, kw_only=True):
    """What we are at a provider. Without a `secret` we are a public client; by `leeway_s` clocks may differ."""

    issuer: str
    client_id: str
    secret: str = ""
    scopes: tuple[str, ...] = ("openid",)
    leeway_s: int = 30

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Relying({self.client_id} at {self.issuer})"


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """One login at a provider: where the browser comes back to, and what binds the answer to this login."""

    redirect: str
    state: str
    nonce: str
    verifier: str

    def __repr__(self) -> str:
        """Without what must not be known."""
        return f"Begun({self.redirect})"


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came back with the browser. `issuer` is what the answer says of its sender (RFC 9207), or empty."""

    code: str
    issuer: str = ""

    def __repr__(self) -> str:
        """Without the code."""
        return "Answered()"


class LogoutClaims(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a provider logged out: a subject, one session (`sid`), or both; good once, until `until_s`."""

    jti: str
    subject: str = ""
    sid: str = ""
    until_s: int = 0


class IdentityProviders(Protocol):
    """The providers on the web. Every method blocks, at most for a few seconds."""

    def login_url(self, relying: Relying, begun: Begun) -> str:
        """Where the browser goes to log in. Raises ProviderError."""
        ...

    def claims(
        self, relying: Relying, begun: Begun, answered: Answered, wanted: frozenset[str], now_s: int
    ) -> dict[str, Any]:
        """Who logged in: the claims of the verified ID token.

        Where one of the `wanted` is missing there, those of the provider's userinfo endpoint come besides.
        Raises ProviderError, UntrustedError.
        """
        ...

    def logout_url(self, relying: Relying, back: str) -> str:
        """Where a browser ends its session at the provider too, empty where that is not known. Asks nobody."""
        ...

    def logged_out(self, relying: Relying, token: str, now_s: int) -> LogoutClaims:
        """Whom a provider says that it logged out (OpenID Connect Back-Channel Logout 1.0).

        Raises ProviderError, UntrustedError.
        """
        ...
