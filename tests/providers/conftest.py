"""One gateway with every vendor of the registry, in front of one scripted upstream."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from penstock.config.document import Provider
from penstock.core.exchange import ExchangeSettled
from penstock.providers.vendors import VENDORS, Vendor
from penstock.testing.gateway import GatewayThread
from tests.providers.forms.form import MODEL
from tests.translation.through.conftest import Told
from tests.translation.upstream import Asked, CannedUpstream

# Each vendor is asked once only, so that an error is seen as it is.
_HEAD = """
version: 1
keys:
  - {name: dev, secret: sk-test, org: acme, direct: true, budget: {usd: 1000000, window: month}}
"""
PRICE = {"input": 3, "output": 7, "cache_read": 1}
_FIELDS = {
    "bearer": ("authorization", "Bearer {}"),
    "aws": ("authorization", "Bearer {}"),
    "google": ("authorization", "Bearer {}"),
    "api-key": ("api-key", "{}"),
    "x-api-key": ("x-api-key", "{}"),
    "x-goog-api-key": ("x-goog-api-key", "{}"),
}


def secret_of(kind: str) -> str:
    """The credential of a vendor in these tests."""
    return f"made-up-secret-of-{kind}"


def base_path(vendor: Vendor) -> str:
    """The path of a vendor's own address, its parts filled in; any path for one without an address."""
    parts = {
        name: f"the-{name}" for name in ("region", "account", "project") if f"{{{name}}}" in vendor.base_url
    }
    address = Provider(kind=vendor.kind, **parts).url  # pyright: ignore[reportArgumentType]
    return urlsplit(address).path if address else "/v1"


def credential_of(vendor: Vendor) -> tuple[str, str]:
    """The header that carries a vendor's credential, and its value."""
    name, form = _FIELDS[vendor.auth]
    return name, form.format(secret_of(vendor.kind))


def _config(url: str) -> str:
    providers: dict[str, Any] = {}
    deployments: dict[str, Any] = {}
    routes: dict[str, Any] = {}
    for vendor in VENDORS.values():
        if vendor.kind == "simulator":
            continue
        kind = vendor.kind
        providers[kind] = {"kind": kind, "base_url": url + base_path(vendor), "api_key": secret_of(kind)}
        deployments[f"{kind}-model"] = {"provider": kind, "model": MODEL, "price": PRICE}
        routes[f"to-{kind}"] = {"policy": f"{kind}-model", "retry": {"attempts": 1}}
    # JSON is YAML.
    return _HEAD + "\n".join([
        f"{name}: {json.dumps(value)}"
        for name, value in (("providers", providers), ("deployments", deployments), ("routes", routes))
    ])  # fmt: skip


@dataclass
class House:
    """The gateway, and the upstream that is every vendor."""

    gateway: GatewayThread
    upstream: CannedUpstream

    def post(self, path: str, body: Any) -> Told:
        """One request of a client; what the upstream was asked before is forgotten."""
        self.upstream.asked.clear()
        sent = {"Authorization": "Bearer sk-test", "Content-Type": "application/json"}
        request = urllib.request.Request(self.gateway.url + path, json.dumps(body).encode(), sent)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return Told(response.status, _fields(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Told(error.code, _fields(error.headers), error.read())

    def settled(self, told: Told) -> ExchangeSettled:
        """What the ledger is told of an answer."""
        wanted = told.headers["x-penstock-request-id"]
        count = len(self.gateway.exchanges())
        for _ in range(100):
            for settled in reversed(self.gateway.exchanges(count)):
                if settled.request.request_id == wanted:
                    return settled
            count += 1
        raise AssertionError(f"{wanted} was not settled")

    def one_asked(self) -> Asked:
        """The only request that reached the vendor."""
        (asked,) = self.upstream.asked
        return asked


def _fields(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    """Shared by all tests of this folder."""
    with CannedUpstream() as upstream, GatewayThread(_config(upstream.url)) as gateway:
        yield House(gateway, upstream)
