"""Names of tools that a vendor does not take: what stands for them in a request, and how to find back.

Each vendor has its rule (`providers/*/api.py`). A name that obeys it is sent as it is. Any other becomes what
it can keep of itself and a digest of itself, so that it is the same in every turn, whatever else is asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, FunctionTool, Message, Tool
from penstock.core.parts import Part, ToolCall, ToolResult

_DIGITS = 12
_REFUSED: dict[str, re.Pattern[str]] = {}


@dataclass(frozen=True, slots=True)
class NameRule:
    """Which names a vendor takes.

    Attributes:
        most: The greatest length, in characters; it leaves room for the digest.
        more: Characters that are allowed besides letters, digits and `_`, as in a regular expression's class.
        digit_first: Whether a name may begin with something else than a letter or `_`.
    """

    most: int
    more: str = "-"
    digit_first: bool = True

    def allows(self, name: str) -> bool:
        """Whether the name can be sent as it is."""
        return (
            0 < len(name) <= self.most
            and self._foreign().search(name) is None
            and (self.digit_first or name[0] == "_" or name[0].isalpha())
        )

    def made(self, name: str, attempt: int) -> str:
        """An allowed name for one that is not; another for each attempt."""
        seed = f"{attempt}\0{name}" if attempt else name
        digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
        kept = self._foreign().sub("_", name)[: self.most - _DIGITS - 1]
        if not self.digit_first and not kept[:1].isalpha():
            kept = ("_" + kept)[: self.most - _DIGITS - 1]
        return f"{kept}_{digest}"

    def _foreign(self) -> re.Pattern[str]:
        found = _REFUSED.get(self.more)
        if found is None:
            found = _REFUSED[self.more] = re.compile(f"[^a-zA-Z0-9_{self.more}]")
        return found


def vendor_names(request: ChatRequest, rule: NameRule | None) -> dict[str, str]:
    """What the vendor is told instead, by the caller's name, for those that it would refuse."""
    if rule is None:
        return {}
    names = dict.fromkeys(_names(request))
    refused = [name for name in names if not rule.allows(name)]
    if not refused:
        return {}
    taken = set(names)
    found: dict[str, str] = {}
    for name in refused:
        attempt = 0
        while (made := rule.made(name, attempt)) in taken:
            attempt += 1
        taken.add(made)
        found[name] = made
    return found


def with_names(request: ChatRequest, names: dict[str, str]) -> ChatRequest:
    """The request with other names for its tools, wherever they are named."""
    if not names:
        return request
    choice = request.tool_choice
    if choice is not None and choice.name in names:
        choice = replace(choice, name=names[choice.name])
    return replace(
        request,
        tools=tuple([_tool(tool, names) for tool in request.tools]),
        tool_choice=choice,
        messages=tuple([_message(message, names) for message in request.messages]),
    )


def _names(request: ChatRequest) -> Iterator[str]:
    for tool in request.tools:
        if isinstance(tool, FunctionTool):
            yield tool.name
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, ToolCall | ToolResult) and part.name:
                yield part.name


def _tool(tool: Tool, names: dict[str, str]) -> Tool:
    if isinstance(tool, FunctionTool) and tool.name in names:
        return replace(tool, name=names[tool.name])
    return tool


def _message(message: Message, names: dict[str, str]) -> Message:
    parts = tuple([_part(part, names) for part in message.parts])
    return message if parts == message.parts else replace(message, parts=parts)


def _part(part: Part, names: dict[str, str]) -> Part:
    if isinstance(part, ToolCall | ToolResult) and part.name in names:
        return replace(part, name=names[part.name])
    return part
