"""`GET /v1/models`: what a key may name, from routes, deployments and providers."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.errors import Refusal
from penstock.core.plan import Plan, VirtualKey

_encode = msgspec.json.Encoder().encode


def _entries(plan: Plan, key: VirtualKey) -> list[dict[str, Any]]:
    owned = [(name, "penstock") for name in plan.routes if key.routes is None or name in key.routes]
    if plan.direct_open or key.direct:
        owned += [(name, target.provider) for name, target in plan.deployments.items()]
    return [{"id": name, "object": "model", "created": 0, "owned_by": owner} for name, owner in owned]


def models_answer(plan: Plan, key: VirtualKey) -> bytes:
    """The list, in OpenAI's shape."""
    return _encode({"object": "list", "data": _entries(plan, key)})


def model_answer(plan: Plan, key: VirtualKey, name: str) -> bytes:
    """One entry. Raises Refusal."""
    for entry in _entries(plan, key):
        if entry["id"] == name:
            return _encode(entry)
    raise Refusal("unknown_model", f"no model {name!r} is listed for this key; see /v1/models", param="model")
