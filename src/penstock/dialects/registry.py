"""The client dialects by the shape of their JSON, each imported when it is first spoken."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from penstock.core.errors import Refusal
from penstock.ports.translation import ChatDialect

_CHAT: dict[str, str] = {}


@cache
def chat_dialect(shape: str) -> ChatDialect:
    """The dialect of a shape. Raises Refusal for one that is not built."""
    if shape not in _CHAT:
        raise Refusal("endpoint_not_built", f"{shape} is not translated by this version yet")
    package, _, name = _CHAT[shape].partition(":")
    return cast("ChatDialect", getattr(import_module(f"penstock.dialects.{package}.dialect"), name)())
