"""Which message may follow which, for Mistral, which refuses other orders (`invalid_request_message_order`).

None of the system follows an assistant's message or a tool's, and none is the last of a conversation:
https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py
With most models a user may not speak right after a tool, as Claude Code does
(https://github.com/BerriAI/litellm/issues/17761); recordings of August 2026 show that Mistral Small takes it.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_HEARD = "OK."


def in_order(messages: list[Json]) -> list[Json]:
    """The messages; those of the system that come too late stand before the conversation, behind its own."""
    late = _late(messages)
    if not late:
        return messages
    first = [message for at, message in enumerate(messages) if at in late]
    rest = [message for at, message in enumerate(messages) if at not in late]
    head = next((at for at, message in enumerate(rest) if message["role"] != "system"), len(rest))
    return [*rest[:head], *first, *rest[head:]]


def with_answers(messages: list[Json]) -> list[Json]:
    """The messages, with a word of the assistant's between a tool's result and a user who goes on."""
    out: list[Json] = []
    for message in messages:
        if message["role"] == "user" and out and out[-1]["role"] == "tool":
            out.append({"role": "assistant", "content": _HEARD})
        out.append(message)
    return out


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
