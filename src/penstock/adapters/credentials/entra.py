"""Access tokens of Microsoft Entra ID by the client credentials grant of OAuth 2.0.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from penstock.adapters.credentials.asking import ask
from penstock.adapters.credentials.library import NoCredentialError
from penstock.config.document import EntraAccess, Secret
from penstock.core.credentials import BearerToken


def fetch_entra(
    access: EntraAccess, resolve: Callable[[Secret], str], now_ms: Callable[[], int]
) -> BearerToken:
    """A token. Raises NoCredentialError, OSError."""
    if access.tenant_id is None or access.client_id is None or access.client_secret is None:
        raise NoCredentialError("tenant_id, client_id and client_secret belong together")
    form = {
        "grant_type": "client_credentials",
        "client_id": access.client_id,
        "client_secret": resolve(access.client_secret),
        "scope": access.scope,
    }
    asked_ms = now_ms()
    told = ask(
        f"{access.authority}/{quote(access.tenant_id, safe='')}/oauth2/v2.0/token",
        method="POST",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
    )
    answer = _object(told.data)
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    if told.status != 200 or not isinstance(token, str):
        # `error` is one of a few words; the description beside it names people and addresses.
        word = str(answer.get("error", ""))[:40]
        raise NoCredentialError(f"Entra ID answered {told.status} {word}".rstrip())
    lasts_s = float(seconds) if isinstance(seconds, int | float | str) else 0.0
    return BearerToken(token, asked_ms + int(lasts_s * 1000) if lasts_s else 0)


def _object(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
