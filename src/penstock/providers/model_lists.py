"""How each vendor's list of models is asked for and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from penstock.core.target import Target


class _Named(msgspec.Struct):
    id: str = ""
    name: str = ""


class _List(msgspec.Struct):
    data: list[_Named] = []
    models: list[_Named] = []


_decode = msgspec.json.Decoder(_List).decode


@dataclass(frozen=True, slots=True)
class _Way:
    """The path of the list below the target's base, and what a row calls its model."""

    path: Callable[[bytes], bytes]
    prefix: str = ""


_OPENAI = _Way(lambda base: base + b"/models")
_WAYS: dict[str, _Way | None] = {
    # https://docs.anthropic.com/en/api/models-list
    "anthropic": _Way(lambda base: base + b"/models?limit=1000"),
    # https://ai.google.dev/api/models#method:-models.list
    "gemini": _Way(lambda base: base + b"/models?pageSize=1000", "models/"),
    # https://docs.cohere.com/reference/list-models: only in version 1
    "cohere": _Way(lambda base: base.removesuffix(b"/v2") + b"/v1/models?page_size=1000"),
    # https://github.com/ollama/ollama/blob/main/docs/api.md#list-local-models
    "ollama": _Way(lambda base: base + b"/tags"),
    # Another service of AWS lists Bedrock's models.
    "converse": None,
}


def list_request(target: Target) -> bytes | None:
    """The whole request for a provider's list, None where it has none that can be asked for."""
    way = _WAYS.get(target.api, _OPENAI)
    if way is None or b"{model}" in target.base_path or not target.lists_models:
        return None
    return b"".join(
        (
            b"GET ",
            way.path(target.base_path),
            b" HTTP/1.1\r\nhost: ",
            target.origin.authority,
            b"\r\n",
            target.auth,
            b"accept-encoding: identity\r\nuser-agent: penstock\r\n\r\n",
        )
    )


def listed(target: Target, body: bytes) -> tuple[str, ...]:
    """The models that a list names. Raises msgspec.DecodeError where it is none."""
    way = _WAYS.get(target.api) or _OPENAI
    found = _decode(body)
    rows = found.data or found.models
    return tuple([(row.id or row.name).removeprefix(way.prefix) for row in rows if row.id or row.name])
