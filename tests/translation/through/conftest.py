"""A scripted upstream, and gateways in front of it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.translation.upstream import CannedUpstream

_CONFIG = """
version: 1
defaults: {{on_unsupported: {policy}}}
providers:
  up: {{kind: {kind}, base_url: "{url}", api_key: upstream-secret}}
keys:
  - {{name: dev, secret: sk-test, org: acme, direct: true}}
"""


@dataclass(frozen=True)
class Told:
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    raw: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.raw.decode()


def _fields(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclass
class Door:
    """A gateway before one upstream of one kind."""

    gateway: GatewayThread
    upstream: CannedUpstream

    def post(self, path: str, body: Any, **headers: str) -> Told:
        """One request with the right key; bytes go as they are."""
        data: bytes = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": "Bearer sk-test", "Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.gateway.url + path, data, sent)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return Told(response.status, _fields(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Told(error.code, _fields(error.headers), error.read())


class Doors:
    """Makes doors, and closes them all."""

    def __init__(self) -> None:
        self._open: list[tuple[GatewayThread, CannedUpstream]] = []

    def open(self, kind: str, *, policy: str = "map", base: str = "/base") -> Door:
        """A gateway in front of a scripted upstream of this kind."""
        upstream = CannedUpstream()
        upstream.__enter__()
        gateway = GatewayThread(_CONFIG.format(kind=kind, url=upstream.url + base, policy=policy))
        gateway.__enter__()
        self._open.append((gateway, upstream))
        return Door(gateway, upstream)

    def close(self) -> None:
        """End them all."""
        for gateway, upstream in self._open:
            gateway.__exit__(None, None, None)
            upstream.__exit__(None, None, None)


@pytest.fixture
def doors() -> Iterator[Doors]:
    """Doors that are closed after the test."""
    made = Doors()
    yield made
    made.close()
