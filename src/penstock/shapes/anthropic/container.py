"""The container in which a server tool of Anthropic's ran, as an answer names it.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool#container-reuse
"""

from __future__ import annotations

import msgspec

from penstock.wire.sse import SseDecoder, data_of


class Container(msgspec.Struct):
    """`container` of a message, or of a stream's `message_delta`."""

    id: str = ""


class Held(msgspec.Struct):
    """A message or the delta of one."""

    container: Container | None = None


class Told(msgspec.Struct):
    """A message, or an event with one or with a delta inside."""

    container: Container | None = None
    delta: Held | None = None
    message: Held | None = None


_told = msgspec.json.Decoder(Told).decode


def containers_in(last: bytes) -> list[str]:
    """The ids of containers in a whole message or in the events that end a stream."""
    if b'"container"' not in last:
        return []
    pieces = (
        [last] if last.lstrip().startswith(b"{") else [data_of(e) for e in SseDecoder(len(last)).feed(last)]
    )
    found: list[str] = []
    for piece in pieces:
        try:
            told = _told(piece)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        inside = (told, told.delta, told.message)
        found += [held.container.id for held in inside if held and held.container and held.container.id]
    return found
