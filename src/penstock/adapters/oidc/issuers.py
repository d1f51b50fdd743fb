"""What issuers publish of themselves (OpenID Connect Discovery 1.0): settings and keys, kept for a while."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, cast

import msgspec

from penstock.adapters.oidc.fetch import check_url
from penstock.ports.fetch import Fetch, FetchError
from penstock.ports.identity_provider import ProviderError

WELL_KNOWN = "/.well-known/openid-configuration"
FRESH_S = 3_600.0
# After a failure what was known goes on for so long before the issuer is asked again.
AGAIN_S = 30.0
# How often a key that is not known makes us ask: an issuer that rotates its keys has new ones at once.
KEYS_AGAIN_S = 5.0
_BASIC = "client_secret_basic"
log = logging.getLogger("penstock.control.login")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer's endpoints. `client_auth`: how we may prove who we are at the token endpoint."""

    authorization: str
    token: str
    jwks: str
    userinfo: str = ""
    end_session: str = ""
    client_auth: tuple[str, ...] = (_BASIC,)
    says_issuer: bool = False


def settings_of(issuer: str, said: dict[str, Any]) -> Settings:
    """The settings in an issuer's document. Raises FetchError."""
    if said.get("issuer") != issuer:
        raise FetchError(
            f"{issuer}{WELL_KNOWN} calls itself {str(said.get('issuer'))[:200]!r}; write exactly that as issuer"
        )

    def url(name: str, *, must: bool = True) -> str:
        found = said.get(name)
        if not isinstance(found, str) or not found:
            if must:
                raise FetchError(f"the settings of {issuer} name no {name}")
            return ""
        check_url(found)
        return found

    methods = said.get("token_endpoint_auth_methods_supported")
    known = cast("list[Any]", methods) if isinstance(methods, list) else [_BASIC]
    return Settings(
        authorization=url("authorization_endpoint"),
        token=url("token_endpoint"),
        jwks=url("jwks_uri"),
        userinfo=url("userinfo_endpoint", must=False),
        end_session=url("end_session_endpoint", must=False),
        client_auth=tuple(one for one in known if isinstance(one, str)),
        says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


class Issuers:
    """Fetches when something is needed that is not known or no longer fresh. `now_s` is monotonic."""

    def __init__(self, fetch: Fetch, now_s: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now_s = now_s
        self._lock = threading.Lock()
        self._known: dict[str, _Issuer] = {}

    def settings(self, issuer: str) -> Settings:
        """Its endpoints. Raises ProviderError."""
        one = self._of(issuer)
        with one.lock:
            return self._settings(one)

    def known_settings(self, issuer: str) -> Settings | None:
        """Its endpoints if they were asked for before."""
        return self._of(issuer).settings

    def keys(self, issuer: str, kid: str | None) -> list[dict[str, Any]]:
        """Its keys with this id, all of them without one; asked for anew where none has it.

        Raises ProviderError.
        """
        one = self._of(issuer)
        with one.lock:
            if self._now_s() >= one.keys_until_s:
                self._fetch_keys(one)
            found = _with(one.keys, kid)
            if not found and self._now_s() - one.keys_asked_s >= KEYS_AGAIN_S:
                self._fetch_keys(one)
                found = _with(one.keys, kid)
            return found

    def _of(self, issuer: str) -> _Issuer:
        with self._lock:
            return self._known.setdefault(issuer, _Issuer(issuer))

    def _settings(self, one: _Issuer) -> Settings:
        now = self._now_s()
        if one.settings is not None and now < one.settings_until_s:
            return one.settings
        try:
            one.settings = settings_of(one.name, self._fetch(one.name.rstrip("/") + WELL_KNOWN))
        except FetchError as error:
            if one.settings is None:
                raise ProviderError(f"its settings cannot be read: {error}") from None
            log.warning("the settings of %s stay as they were: %s", one.name, error)
            one.settings_until_s = now + AGAIN_S
            return one.settings
        one.settings_until_s = now + FRESH_S
        return one.settings

    def _fetch_keys(self, one: _Issuer) -> None:
        settings = self._settings(one)
        one.keys_asked_s = self._now_s()
        try:
            rows = self._fetch(settings.jwks).get("keys")
        except FetchError as error:
            if not one.keys:
                raise ProviderError(f"its keys cannot be read: {error}") from None
            log.warning("the keys of %s stay as they were: %s", one.name, error)
            one.keys_until_s = one.keys_asked_s + AGAIN_S
            return
        listed = cast("list[Any]", rows) if isinstance(rows, list) else []
        one.keys = [cast("dict[str, Any]", row) for row in listed if isinstance(row, dict)]
        one.keys_until_s = one.keys_asked_s + FRESH_S


class _Issuer:
    """What is known of one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()
        self.settings: Settings | None = None
        self.settings_until_s = 0.0
        self.keys: list[dict[str, Any]] = []
        self.keys_asked_s = float("-inf")
        self.keys_until_s = float("-inf")


def _with(keys: list[dict[str, Any]], kid: str | None) -> list[dict[str, Any]]:
    return [key for key in keys if kid is None or key.get("kid") == kid]
