"""Where system messages may stand, for Mistral, which refuses other orders (`invalid_request_message_order`).

None follows an assistant's message or a tool's, and none is the last of a conversation:
https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def in_order(messages: list[Json]) -> list[Json]:
    """The messages; those of the system that come too late stand before the conversation, behind its own."""
    late = _late(messages)
    if not late:
        return messages
    first = [message for at, message in enumerate(messages) if at in late]
    rest = [message for at, message in enumerate(messages) if at not in late]
    head = next((at for at, message in enumerate(rest) if message["role"] != "system"), len(rest))
    return [*rest[:head], *first, *rest[head:]]


def _late(messages: list[Json]) -> set[int]:
    late: set[int] = set()
    before = "system"
    for at, message in enumerate(messages):
        if message["role"] == "system" and before in ("assistant", "tool"):
            late.add(at)
        else:
            before = message["role"]
    if any(message["role"] != "system" for message in messages):
        at = len(messages) - 1
        while messages[at]["role"] == "system":
            late.add(at)
            at -= 1
    return late
