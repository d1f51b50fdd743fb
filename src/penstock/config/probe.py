"""Asking whether an OpenAI-compatible server answers at an address of this machine."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import msgspec

_MAX_BYTES = 1_000_000
_OK = 200


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model] | None


def probe_models(base_url: str, timeout_s: float) -> list[str] | None:
    """The names that `GET {base_url}/models` lists, or None when no OpenAI-compatible server answers there.

    It blocks for `timeout_s` per network operation and never raises. Another Penstock counts as none: a
    gateway that found itself would send requests in a circle.
    """
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", f"{parts.path}/models", headers={"accept": "application/json"})
        response = connection.getresponse()
        if response.status != _OK or _is_penstock(response):
            return None
        models = msgspec.json.decode(response.read(_MAX_BYTES), type=_Models)
    except (OSError, http.client.HTTPException, msgspec.MsgspecError, ValueError):
        return None
    finally:
        connection.close()
    return [model.id for model in models.data or ()]


def _is_penstock(response: Any) -> bool:
    return any(name.lower().startswith("x-penstock-") for name, _ in response.getheaders())
