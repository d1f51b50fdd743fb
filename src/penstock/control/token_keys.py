"""The public keys of issuers of tokens: fetched here, kept on disk, published with the configuration.

Gateways never fetch anything. An issuer that cannot be reached costs nothing as long as it signs with keys that
were known before.
"""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path
from typing import Any, cast

import msgspec

from penstock.config.document import Auth, TokenIssuer
from penstock.ports.fetch import Fetch, FetchError

MOST_KEYS = 64
# Parameters of public keys (RFC 7518, section 6; RFC 8037); what is private or unknown is not kept.
_PUBLIC = ("kty", "use", "key_ops", "alg", "kid", "n", "e", "crv", "x", "y")
_KINDS = frozenset({"RSA", "EC", "OKP"})
_SETTINGS = "/.well-known/openid-configuration"
log = logging.getLogger("penstock.control")


class TokenKeys:
    """The key sets of a configuration's issuers, in a folder."""

    def __init__(self, folder: Path, fetch: Fetch) -> None:
        self._folder = folder
        self._fetch = fetch

    def refresh(self, auth: Auth) -> bool:
        """Fetch all; whether anything differs from before. What cannot be fetched stays as it was."""
        changed = False
        for name, issuer in auth.tokens.items():
            try:
                keys = msgspec.json.encode(self._keys(issuer))
                changed = self._keep(issuer, keys) or changed
            except (FetchError, OSError) as error:
                log.warning("the keys of the issuer %s stay as they are: %s", name, error)
        return changed

    def _keys(self, issuer: TokenIssuer) -> dict[str, Any]:
        url = issuer.jwks_url
        if url is None:
            settings = self._fetch(issuer.issuer.rstrip("/") + _SETTINGS)
            if settings.get("issuer") != issuer.issuer:
                raise FetchError(f"the settings of {issuer.issuer} are those of another issuer")
            url = settings.get("jwks_uri")
            if not isinstance(url, str):
                raise FetchError(f"the settings of {issuer.issuer} name no jwks_uri")
        return {"keys": public_keys(self._fetch(url), url)}

    def _keep(self, issuer: TokenIssuer, keys: bytes) -> bool:
        path = _path(self._folder, issuer)
        if path.exists() and path.read_bytes() == keys:
            return False
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_bytes(keys)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(path)
        return True


def stored_keys(folder: Path, auth: Auth) -> dict[str, bytes]:
    """What is on disk, by the issuer's name; an issuer whose keys were never fetched is missing."""
    found: dict[str, bytes] = {}
    for name, issuer in auth.tokens.items():
        try:
            found[name] = _path(folder, issuer).read_bytes()
        except OSError:
            continue
    return found


def _path(folder: Path, issuer: TokenIssuer) -> Path:
    known = hashlib.sha256(f"{issuer.issuer}\n{issuer.jwks_url}".encode()).hexdigest()
    return folder / f"{known[:32]}.json"


def public_keys(said: dict[str, Any], where: str) -> list[dict[str, Any]]:
    """The public keys of a set. Raises FetchError."""
    rows = said.get("keys")
    if not isinstance(rows, list) or len(cast("list[Any]", rows)) > MOST_KEYS:
        raise FetchError(f"{where} has no list of keys, or more than {MOST_KEYS}")
    found: list[dict[str, Any]] = []
    for row in cast("list[Any]", rows):
        if isinstance(row, dict) and cast("dict[str, Any]", row).get("kty") in _KINDS:
            known = cast("dict[str, Any]", row)
            found.append({name: known[name] for name in _PUBLIC if name in known})
    if not found:
        raise FetchError(f"{where} has no public key")
    return found
