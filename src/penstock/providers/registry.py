"""The vendors' APIs by the shape of their JSON, each imported when a target first needs it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from penstock.core.errors import Refusal
from penstock.ports.translation import ChatProvider

_CHAT: dict[str, str] = {}


@cache
def chat_provider(shape: str) -> ChatProvider:
    """The API of a shape. Raises Refusal for one that is not built."""
    if shape not in _CHAT:
        raise Refusal("endpoint_not_built", f"{shape} is not translated by this version yet")
    package, _, name = _CHAT[shape].partition(":")
    return cast("ChatProvider", getattr(import_module(f"penstock.providers.{package}.api"), name)())
