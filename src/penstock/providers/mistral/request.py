"""A request to Mistral's chat: OpenAI's form, from which Mistral's differs in names, ids and content.

What a client of OpenAI's shape wrote with Mistral's own fields (`safe_prompt`, `prefix`, `random_seed`, …) is
passed on; fields that Mistral does not know would be refused, and are left out.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatRequest, FunctionTool, Message, Reasoning, Tool
from penstock.core.parts import Document, Extras, Link, Part, Refused, Text, Thinking, ToolCall, ToolResult
from penstock.core.plain_turns import drop_names, errors_in_words
from penstock.ports.translation import Addressee
from penstock.providers.mistral import SHAPE
from penstock.providers.mistral.order import in_order, with_answers
from penstock.providers.openai_chat.request import encode_request as encode_chat
from penstock.shapes.openai_chat import SHAPE as CHAT
from penstock.shapes.openai_chat.content import in_content
from penstock.shapes.openai_chat.data_url import text_in
from penstock.shapes.openai_chat.forms import is_own

_ID = re.compile(r"[a-zA-Z0-9]{9}")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FIELDS = frozenset(
    {
        "model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "metadata",
        "response_format", "tools", "tool_choice", "presence_penalty", "frequency_penalty", "n", "prediction",
        "parallel_tool_calls", "prompt_mode", "guardrails", "reasoning_effort", "prompt_cache_key",
        "safe_prompt",
    }
)  # fmt: skip
_MESSAGE_FIELDS = frozenset({"role", "content", "tool_calls", "tool_call_id", "name", "prefix"})
_RENAMED = {"max_completion_tokens": "max_tokens", "seed": "random_seed"}
_TOOLS = frozenset({"image_generation", "document_library", "connector", "web_search", "code_interpreter"})
_THINKING = Extras(CHAT, {"~in": "thinking"})
_DOCUMENT = Extras(CHAT, {"~type": "document_url", "~form": "string"})


def encode_request(request: ChatRequest, to: Addressee) -> dict[str, Any]:
    """The body."""
    own = is_own(request.extras, CHAT)
    messages = request.messages if own else errors_in_words(request.messages, to.losses)
    drop_names(messages, to.losses)
    said = replace(
        request,
        messages=tuple([_message(message, to) for message in messages]),
        tools=tuple(
            [tool for tool in (_tool(each, request, to) for each in request.tools) if tool is not None]
        ),
        extras=_without_functions(request.extras),
        reasoning=_effort(request.reasoning, to),
    )
    body = encode_chat(said, to, CHAT)
    for old, new in _RENAMED.items():
        if old in body:
            body[new] = body.pop(old)
    if body.get("tool_choice") == "required":
        body["tool_choice"] = "any"
    out = {name: value for name, value in body.items() if name in _FIELDS}
    messages_out = in_order([_known(message) for message in body["messages"]])
    out["messages"] = with_answers(messages_out) if "user.after_tool" in to.profile.lacks else messages_out
    last = out["messages"][-1] if out["messages"] else {}
    if not own and last.get("role") == "assistant" and "tool_calls" not in last:
        last["prefix"] = True  # without it an assistant's message may not be the last
    return out


def _effort(reasoning: Reasoning | None, to: Addressee) -> Reasoning | None:
    """Chat's words of effort as a wish, where it is known which of them the model takes: they are OpenAI's."""
    known = bool(to.profile.efforts) or "reasoning" in to.profile.lacks
    return replace(reasoning, extras=None) if reasoning is not None and known else reasoning


def call_id(said: str) -> str:
    """An id of nine letters and digits: the one that was said, or one that depends on it alone."""
    if _ID.fullmatch(said):
        return said
    number = int.from_bytes(hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()[:8])
    digits: list[str] = []
    for _ in range(9):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(digits)


def _tool(tool: Tool, request: ChatRequest, to: Addressee) -> Tool | None:
    """A function as a tool of today's form, and of built-in tools those that Mistral has."""
    if isinstance(tool, FunctionTool):
        old = request.extras is not None and "~functions" in request.extras.fields
        return replace(tool, extras=None) if old else tool
    if tool.shape == CHAT and str(tool.value.get("type")) in _TOOLS:
        return tool
    to.losses.drop("tool.opaque")
    return None


def _without_functions(extras: Extras | None) -> Extras | None:
    if extras is None or "~functions" not in extras.fields:
        return extras
    return Extras(extras.shape, {name: each for name, each in extras.fields.items() if name != "~functions"})


def _message(message: Message, to: Addressee) -> Message:
    parts: list[Part] = []
    for part in message.parts:
        if isinstance(part, ToolCall):
            parts.append(_call(part))
        elif isinstance(part, ToolResult):
            parts.append(
                replace(
                    part,
                    call_id=call_id(part.call_id),
                    content=tuple([_document(each) for each in part.content]),
                )
            )
        elif isinstance(part, Thinking) and not in_content(part.extras, CHAT):
            if _may_return(part, to):
                parts.append(replace(part, extras=_THINKING))
        elif isinstance(part, Refused):
            parts.append(Text(part.text))
        else:
            parts.append(_document(part))
    role = "system" if message.role == "developer" else message.role
    return replace(message, role=role, parts=tuple(parts))


def _call(part: ToolCall) -> ToolCall:
    """The call with an id of Mistral's form, and never as a `function_call`."""
    extras = part.extras
    if extras is not None and "~old" in extras.fields:
        extras = None
    return replace(part, id=call_id(part.id), extras=extras)


def _may_return(part: Thinking, to: Addressee) -> bool:
    """Unsealed thinking goes back to models that think."""
    if not to.profile.thinking_field or not part.text:
        return False
    return all(seal is None or seal.signer == SHAPE for seal in (part.signature, part.sealed))


def _document(part: Part) -> Part:
    """A document as the address that Mistral takes, within or without."""
    if not isinstance(part, Document) or (part.extras is not None and "~type" in part.extras.fields):
        return part
    if text_in(part.source) is not None and not isinstance(part.source, Link):
        return part
    return replace(part, extras=_DOCUMENT)


def _known(message: dict[str, Any]) -> dict[str, Any]:
    out = {name: value for name, value in message.items() if name in _MESSAGE_FIELDS}
    if out["role"] == "function":
        out["role"] = "tool"
        out["tool_call_id"] = call_id(out.get("tool_call_id", ""))
    if out["role"] != "tool":
        out.pop("name", None)
    return out
