"""Google's access tokens by google-auth: service accounts, federated identities, the application's default."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from penstock.adapters.credentials.asking import TIMEOUT_S, Told, ask
from penstock.adapters.credentials.library import NoCredentialError, library
from penstock.config.document import GoogleAccess, Secret
from penstock.core.credentials import BearerToken

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def fetch_google(access: GoogleAccess, resolve: Callable[[Secret], str]) -> BearerToken:
    """A token. Raises NoCredentialError, and what google-auth raises."""
    auth = library("google.auth", "google")
    with warnings.catch_warnings():
        # It warns of people's credentials in a server, which is for whoever configured them to judge.
        warnings.simplefilter("ignore")
        credentials = (
            _default(auth) if access.credentials is None else _given(auth, resolve(access.credentials))
        )
        credentials.refresh(_sender())
    if not credentials.token:
        raise NoCredentialError("Google's answer has no token")
    expiry: object = credentials.expiry
    # google-auth's times are in UTC and say so nowhere.
    expires_ms = int(expiry.replace(tzinfo=dt.UTC).timestamp() * 1000) if isinstance(expiry, dt.datetime) else 0
    return BearerToken(str(credentials.token), expires_ms)


def _default(auth: Any) -> Any:
    credentials, _ = auth.default(scopes=SCOPES)
    return credentials


def _given(auth: Any, text: str) -> Any:
    try:
        info = json.loads(text)
    except ValueError:
        info = None
    if not isinstance(info, dict) or "type" not in info:
        raise NoCredentialError("google.credentials is not the JSON of a Google credential")
    if info["type"] == "service_account":
        account = library("google.oauth2.service_account", "google")
        return account.Credentials.from_service_account_info(info, scopes=SCOPES)
    credentials, _ = auth.load_credentials_from_dict(info, scopes=SCOPES)
    return credentials


def _sender() -> Callable[..., Told]:
    """What google-auth sends its requests with, so that it needs no HTTP library."""
    broken: type[Exception] = library("google.auth.exceptions", "google").TransportError

    def send(
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Told:
        data = body.encode() if isinstance(body, str) else body
        patience_s = timeout or TIMEOUT_S
        try:
            return ask(url, method=method, headers=headers, body=data, timeout_s=patience_s)
        except OSError as error:
            raise broken(error) from error

    return send
