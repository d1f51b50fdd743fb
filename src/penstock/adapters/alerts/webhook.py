"""Posts an alert to a webhook, signed by Standard Webhooks 1.0.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import http.client
import socket
import ssl
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from penstock.config.access_checks import is_metadata
from penstock.core.alerts import Alert, Webhook
from penstock.ports.alerts import Posted

TIMEOUT_S = 15.0
# A receiver's wish to be left alone is followed this far.
_LONGEST_PAUSE_S = 3600.0
_GONE = 410
_PORTS = {"http": 80, "https": 443}


class RefusedAddressError(OSError):
    """The webhook's name leads to an address that nobody may post to."""


class WebhookPoster:
    """A `ports.alerts.Poster`. `resolve` finds the addresses of a host and port."""

    def __init__(
        self,
        now_ms: Callable[[], int],
        resolve: Callable[[str, int], list[str]] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._now_ms = now_ms
        self._resolve = resolve or addresses
        self._timeout_s = timeout_s

    def __call__(self, webhook: Webhook, alert_id: str, alert: Alert) -> Posted:
        """See ports.alerts."""
        body = payload(alert_id, alert)
        headers = {
            "content-type": "application/json",
            "user-agent": "penstock-alerts",
            **signature_headers(webhook.keys, alert_id, self._now_ms() // 1000, body),
        }
        try:
            status, pause_s = self._post(webhook, body, headers)
        except RefusedAddressError as error:
            return Posted(str(error), final=True)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Posted(_reason(error))
        if 200 <= status < 300:
            return Posted("")
        if 300 <= status < 400:
            return Posted(f"it answered {status}, a redirect, and none is followed: put its new address in url")
        if status == _GONE:
            return Posted("it answered 410: it wants no more alerts; remove the webhook", final=True)
        return Posted(f"it answered {status}", retry_after_s=pause_s)

    def _post(self, webhook: Webhook, body: bytes, headers: dict[str, str]) -> tuple[int, float]:
        parts = urlsplit(webhook.url)
        with contextlib.closing(self._connection(webhook, parts)) as connection:
            target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            connection.request("POST", target, body, headers)
            with connection.getresponse() as response:
                response.read(4096)
                return response.status, _pause_s(response.headers.get("retry-after"))

    def _connection(self, webhook: Webhook, parts: SplitResult) -> http.client.HTTPConnection:
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or _PORTS[parts.scheme]
        if webhook.proxy:
            return self._through_proxy(webhook, host, port, secure=secure)
        connection = http.client.HTTPConnection(host, port, timeout=self._timeout_s)
        if not secure:
            connection.default_port = _PORTS["http"]
            connection.sock = self._connected(host, port)
            return connection
        context = ssl.create_default_context(cafile=webhook.ca_file or None)
        connection.default_port = _PORTS["https"]
        sock = self._connected(host, port)
        try:
            connection.sock = context.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
        return connection

    def _through_proxy(
        self, webhook: Webhook, host: str, port: int, *, secure: bool
    ) -> http.client.HTTPConnection:
        """By CONNECT; the proxy finds the address, so that its own rules hold for it."""
        if is_metadata(host):
            raise RefusedAddressError(_refusal(host))
        proxy = urlsplit(webhook.proxy)
        place = (proxy.hostname or "", proxy.port or _PORTS.get(proxy.scheme, 80))
        if secure:
            context = ssl.create_default_context(cafile=webhook.ca_file or None)
            connection = http.client.HTTPSConnection(*place, timeout=self._timeout_s, context=context)
        else:
            connection = http.client.HTTPConnection(*place, timeout=self._timeout_s)
        connection.set_tunnel(host, port, headers=_proxy_headers(proxy))
        return connection

    def _connected(self, host: str, port: int) -> socket.socket:
        """A socket to the first address that answers; what was checked is what is connected to."""
        found = self._resolve(host, port)
        if is_metadata(host) or any(is_metadata(each) for each in found):
            raise RefusedAddressError(_refusal(host))
        trouble: OSError = OSError(f"{host} has no address")
        for address in found:
            try:
                return socket.create_connection((address, port), self._timeout_s)
            except OSError as error:
                trouble = error
        raise trouble


def addresses(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def payload(alert_id: str, alert: Alert) -> bytes:
    """The body: the event's type, its time, and the alert with its id."""
    moment = dt.datetime.fromtimestamp(alert.at_ms / 1000, dt.UTC).isoformat(timespec="milliseconds")
    facts = {name: getattr(alert, name) for name in alert.__struct_fields__}
    return msgspec.json.encode(
        {"type": alert.kind, "timestamp": moment.replace("+00:00", "Z"), "data": {"id": alert_id, **facts}}
    )


def signature_headers(keys: tuple[bytes, ...], message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The three headers, with one signature for each key; `message_id` has no full stop in it."""
    signed = f"{message_id}.{at_s}.".encode() + body
    signatures = [f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signatures),
    }


def _refusal(host: str) -> str:
    return f"{host} leads to a cloud's metadata, which alerts are never posted to"


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"proxy-authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _pause_s(text: str | None) -> float:
    """What Retry-After asks for; its form with a date is not worth a parser."""
    return min(float(text), _LONGEST_PAUSE_S) if text is not None and text.strip().isdecimal() else 0.0


def _reason(error: Exception) -> str:
    """Why nobody answered, without the address: it may have a token."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    return getattr(error, "strerror", None) or type(error).__name__
