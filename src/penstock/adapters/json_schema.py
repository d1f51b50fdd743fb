"""JSON schemas of requests, checked as far as they can be."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import msgspec

MAX_SCHEMA_BYTES = 100_000
MAX_KNOWN = 256
_encode = msgspec.json.Encoder(order="deterministic").encode


class Schemas:
    """Validators of schemas that clients send; nothing that a schema refers to is fetched."""

    def __init__(self) -> None:
        self._known: dict[bytes, Callable[[Any], bool] | None] = {}

    def __call__(self, schema: dict[str, Any]) -> Callable[[Any], bool] | None:
        """Says whether a value obeys; None for what is no schema, refers elsewhere, or is too large."""
        key = _encode(schema)
        if len(key) > MAX_SCHEMA_BYTES:
            return None
        if key not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = _validator(schema)
        return self._known[key]


def _validator(schema: dict[str, Any]) -> Callable[[Any], bool] | None:
    # Only drills need it, so that the gateway does not import it otherwise.
    library = importlib.import_module("jsonschema_rs")

    def refuse(uri: str) -> Any:
        raise ValueError(f"it refers to {uri}, which is not fetched")

    try:
        return library.validator_for(schema, retriever=refuse).is_valid
    except ValueError:
        return None
