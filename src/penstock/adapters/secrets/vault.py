"""HashiCorp Vault over its HTTP API: log in, keep the token, read secrets.

https://developer.hashicorp.com/vault/api-docs, /auth/approle, /auth/token, /secret/kv/kv-v2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from urllib.parse import quote

import msgspec

from penstock.adapters.credentials.asking import Told, ask
from penstock.ports.secrets import Fetched, FetchError

TIMEOUT_S = 5.0
# A token is renewed when this share of its time is over, so that there is time to try again.
_RENEW_AT = 2 / 3
_STATUS = {
    400: "it does not understand the request; is the path of a KV engine, version 2?",
    403: "permission denied; does the token's policy allow `read` on this path, and is it in this namespace?",
    404: "there is nothing at this path, or this token may not know; the path is MOUNT/data/PATH",
    412: "it has not caught up yet; it is asked again",
    429: "too many requests; raise vault.refresh",
    501: "it is not initialised",
    503: "it is sealed or down for maintenance",
}


@dataclass(frozen=True, slots=True)
class VaultPlace:
    """Where Vault is and how to log in: a token, or an AppRole's ids."""

    address: str
    namespace: str = ""
    token: str = field(default="", repr=False)
    role_id: str = field(default="", repr=False)
    secret_id: str = field(default="", repr=False)
    auth_path: str = "approle"
    ca_file: str = ""


class Ask(Protocol):
    """One HTTP request; see adapters.credentials.asking."""

    def __call__(
        self,
        url: str,
        *,
        method: str = ...,
        headers: Mapping[str, str] | None = ...,
        body: bytes | None = ...,
        timeout_s: float = ...,
        ca_file: str = ...,
    ) -> Told:
        """Send it."""
        ...


class VaultClient:
    """Reads with one token, which it gets, renews and gets anew. Not thread-safe."""

    def __init__(self, place: VaultPlace, monotonic: Callable[[], float], asks: Ask = ask) -> None:
        self._place = place
        self._monotonic = monotonic
        self._ask = asks
        self._token = ""
        self._renew_at = float("inf")
        self._renewable = False

    def fetch(self, place: str) -> Fetched:
        """See ports.secrets.SecretStore."""
        path, _, name = place.partition("#")
        answer = self.call("GET", path)
        found = object_of(answer.get("data")).get("data")
        if not isinstance(found, dict):
            raise FetchError(
                f"Vault: {path}: no secret of a KV engine, version 2, or its last version is deleted"
            )
        fields = cast("dict[str, object]", found)
        value = fields.get(name)
        if not isinstance(value, str) or not value:
            known = ", ".join(sorted(fields)) or "no field"
            raise FetchError(f"Vault: {path}: no text in field {name!r}; the secret has {known}")
        return Fetched(value, _number(answer.get("lease_duration")))

    def call(self, method: str, path: str, body: Mapping[str, str] | None = None) -> dict[str, Any]:
        """An authorised request; a token that has become invalid is replaced once. Raises FetchError."""
        fresh = self._ready()
        told = self._send(method, path, body, self._token)
        if told.status == 403 and self._place.role_id and not fresh:
            self._log_in()
            told = self._send(method, path, body, self._token)
        return _answer(told, path)

    def _ready(self) -> bool:
        """See to it that there is a token; whether it was fetched just now."""
        if not self._token:
            self._log_in()
            return True
        if self._monotonic() >= self._renew_at:
            self._renew()
        return False

    def _log_in(self) -> None:
        place = self._place
        if not place.role_id:
            if not place.token:
                raise FetchError("Vault: no credential; set vault.token, vault.role_id or VAULT_TOKEN")
            self._token = place.token
            told = self._send("GET", "auth/token/lookup-self", None, self._token)
            # A policy may forbid the question; then the token is used as long as it lasts.
            facts = object_of(_decoded(told.data).get("data")) if told.status == 200 else {}
            self._keep(facts.get("ttl"), facts.get("renewable"))
            return
        path = f"auth/{place.auth_path}/login"
        told = self._send("POST", path, {"role_id": place.role_id, "secret_id": place.secret_id}, "")
        auth = object_of(_answer(told, path).get("auth"))
        token = auth.get("client_token")
        if not isinstance(token, str) or not token:
            raise FetchError(f"Vault: {path}: the answer has no client_token")
        self._token = token
        self._keep(auth.get("lease_duration"), auth.get("renewable"))

    def _renew(self) -> None:
        if self._renewable:
            told = self._send("POST", "auth/token/renew-self", {}, self._token)
            auth = object_of(_decoded(told.data).get("auth"))
            if told.status == 200 and _number(auth.get("lease_duration")) > 0:
                self._keep(auth.get("lease_duration"), auth.get("renewable"))
                return
        if self._place.role_id:
            self._log_in()
        else:
            self._renew_at = float("inf")  # what follows is Vault's own 403

    def _keep(self, lasts_s: object, renewable: object) -> None:
        seconds = _number(lasts_s)
        self._renewable = renewable is True
        self._renew_at = self._monotonic() + seconds * _RENEW_AT if seconds else float("inf")

    def _send(self, method: str, path: str, body: Mapping[str, str] | None, token: str) -> Told:
        place = self._place
        headers = {"X-Vault-Request": "true", "Content-Type": "application/json"}
        if token:
            headers["X-Vault-Token"] = token
        if place.namespace:
            headers["X-Vault-Namespace"] = place.namespace
        url = f"{place.address.rstrip('/')}/v1/{quote(path)}"
        data = msgspec.json.encode(body) if body is not None else None
        try:
            return self._ask(
                url, method=method, headers=headers, body=data, timeout_s=TIMEOUT_S, ca_file=place.ca_file
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
            raise FetchError(f"Vault: {place.address} does not answer: {reason}", away=True) from None


def _answer(told: Told, path: str) -> dict[str, Any]:
    if told.status not in (200, 204):
        # What Vault says of an error may repeat what was sent: its status says enough.
        said = _STATUS.get(told.status, "it failed")
        raise FetchError(f"Vault: {path}: {told.status}: {said}", away=told.status >= 500)
    return _decoded(told.data)


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def object_of(value: object) -> dict[str, Any]:
    """A JSON object, empty where it is something else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
