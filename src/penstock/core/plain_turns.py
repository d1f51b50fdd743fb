"""What a message says beside its content, for APIs that have no field for it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.losses import Losses
from penstock.core.parts import Part, Text, ToolResult

_FAILED, _WORD = "Error: ", "Error"
_encode = msgspec.json.Encoder().encode


def errors_in_words(messages: tuple[Message, ...], losses: Losses) -> tuple[Message, ...]:
    """Results of tools that failed say so in their text, since the API has no mark for it.

    Noted as mapped, or as dropped where the caller wants nothing near. Raises UnsupportedError.
    """
    out: list[Message] = []
    for message in messages:
        failed = any(isinstance(part, ToolResult) and part.is_error for part in message.parts)
        if failed and losses.map("tool_result.error"):
            out.append(replace(message, parts=tuple([_told(part) for part in message.parts])))
        else:
            out.append(message)
    return tuple(out)


def drop_names(messages: Iterable[Message], losses: Losses) -> None:
    """Note that the API knows no names of those who speak. Raises UnsupportedError."""
    if any(message.name and message.role != "tool" for message in messages):
        losses.drop("message.name")


def _told(part: Part) -> Part:
    if not isinstance(part, ToolResult) or not part.is_error:
        return part
    content = part.content
    if part.value is not None:
        content = (Text(_encode(part.value).decode()),)
    first = content[0] if content else None
    if isinstance(first, Text):
        said = first.text[: len(_FAILED)].casefold()
        if said not in (_FAILED.casefold(), _WORD.casefold()):
            content = (replace(first, text=_FAILED + first.text), *content[1:])
    else:
        content = (Text(_WORD), *content)
    return replace(part, content=content, value=None)
