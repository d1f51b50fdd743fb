"""A whole reply in the words of OpenAI's chat completions."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penstock.core.chat import ChatReply, Choice
from penstock.core.parts import Part, Refused, Thinking, ToolCall
from penstock.core.seals import into_id
from penstock.ports.translation import Asked
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.openai_chat.calls import write_old
from penstock.shapes.openai_chat.finish import write_finish
from penstock.shapes.openai_chat.forms import is_own
from penstock.shapes.openai_chat.logprobs import write_logprobs
from penstock.shapes.openai_chat.message import write_assistant
from penstock.shapes.openai_chat.usage import write_usage
from penstock.shapes.taker import extras_of

THINKING = "reasoning_content"
# What clients' types know.
# An answer that has one of these needs no content.
_INSTEAD = ("tool_calls", "function_call", "refusal", "audio")
TIERS = frozenset({"auto", "default", "flex", "scale", "priority"})


def encode_reply(reply: ChatReply, asked: Asked) -> dict[str, Any]:
    """The answer."""
    own = is_own(reply.extras, SHAPE)
    out = extras_of(reply.extras, SHAPE)
    absent = out.pop("~absent", [])
    head = {
        "id": reply.id if own else reply_id(asked),
        "model": reply.model if own else reply.model or asked.model,
        "created": reply.created_s if own else asked.created_s,
        "service_tier": reply.service_tier if own or reply.service_tier in TIERS else None,
    }
    if not own:
        out["object"] = "chat.completion"
    out.update({name: value for name, value in head.items() if _is_said(name, value, out, absent)})
    unsaid = "~choices" in out or "choices" in out
    out.pop("~choices", None)
    if reply.choices or not unsaid:
        out["choices"] = [_choice(each, asked) for each in reply.choices]
    if reply.usage is not None:
        out["usage"] = write_usage(reply.usage, SHAPE)
    return out


def _is_said(name: str, value: Any, out: dict[str, Any], absent: list[str]) -> bool:
    if value is None:
        return False
    return bool(value) or (name not in absent and name not in out)


def reply_id(asked: Asked) -> str:
    """The id of a reply that another shape's vendor gave."""
    return f"chatcmpl-{asked.request_id}"


def _choice(choice: Choice, asked: Asked) -> dict[str, Any]:
    own = is_own(choice.extras, SHAPE)
    out = extras_of(choice.extras, SHAPE)
    if not ("~index" in out and out.pop("~index") is None):
        out["index"] = choice.index
    plain = not out.pop("~finish", False)
    message = out.pop("message", None)
    if own and message.__class__ is not dict and not choice.parts:
        if "message" in (choice.extras.fields if choice.extras is not None else {}):
            out["message"] = message  # nothing that could be read
    else:
        message = message if message.__class__ is dict else None
        extras = replace(choice.extras, fields=message or {}) if own and choice.extras is not None else None
        parts = choice.parts if own else carrying(choice.parts)
        said = write_assistant(parts, extras, SHAPE, field=THINKING)
        out["message"] = said if own else _completed(said, asked, parts)
    if choice.finish is not None:
        out["finish_reason"] = write_finish(
            choice.finish,
            choice.native,
            own=own and not plain,
            refused=any(isinstance(part, Refused) for part in choice.parts),
        )
    elif not own:
        called = any(isinstance(part, ToolCall) for part in choice.parts)
        out["finish_reason"] = "tool_calls" if called else "stop"
    if choice.logprobs is not None:
        out["logprobs"] = write_logprobs(choice.logprobs, SHAPE)
    elif not own:
        out["logprobs"] = None
    if not own and wants_old_calls(asked) and out["finish_reason"] == "tool_calls":
        out["finish_reason"] = "function_call"
    return out


def _completed(message: dict[str, Any], asked: Asked, parts: tuple[Part, ...]) -> dict[str, Any]:
    """The message with the members that clients' types require."""
    out: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, **message}
    if wants_old_calls(asked) and "tool_calls" in out:
        del out["tool_calls"]
        out["function_call"] = write_old(next(part for part in parts if isinstance(part, ToolCall)), SHAPE)
    if "audio" in out:
        out["audio"] = {"expires_at": asked.created_s, **out["audio"]}  # nobody keeps it for a later turn
    if out["content"] is None and all(out.get(name) is None for name in _INSTEAD):
        out["content"] = ""
    return out


def wants_old_calls(asked: Asked) -> bool:
    """Whether the client asked with `functions`, so that it reads a `function_call`."""
    extras = asked.request.extras
    return extras is not None and extras.shape == SHAPE and "~functions" in extras.fields


def carrying(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of another shape with their seals in the ids of the tool calls."""
    thinking = tuple([part for part in parts if isinstance(part, Thinking)])
    out: list[Part] = []
    for part in parts:
        if isinstance(part, ToolCall):
            out.append(replace(part, id=into_id(part.id, thinking, part.signature), signature=None))
            thinking = ()
        else:
            out.append(part)
    return tuple(out)
