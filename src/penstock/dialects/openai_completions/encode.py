"""A whole reply as a text completion: what of it is text."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, Choice
from penstock.core.parts import Audio, Part, Refused, Text
from penstock.core.turns import text_of
from penstock.ports.translation import Asked
from penstock.shapes.openai_chat.finish import write_finish
from penstock.shapes.openai_chat.forms import is_own
from penstock.shapes.openai_chat.usage import write_usage
from penstock.shapes.openai_completions import SHAPE
from penstock.shapes.openai_completions.logprobs import write_logprobs
from penstock.shapes.taker import extras_of


def encode_reply(reply: ChatReply, asked: Asked) -> dict[str, Any]:
    """The answer."""
    own = is_own(reply.extras, SHAPE)
    out: dict[str, Any] = extras_of(reply.extras, SHAPE)
    absent = out.pop("~absent", [])
    if own:
        head = {"id": reply.id, "model": reply.model, "created": reply.created_s}
        out.update(
            {
                name: value
                for name, value in head.items()
                if value is not None and name not in absent and name not in out
            }
        )
    else:
        out["id"], out["object"] = reply_id(asked), "text_completion"
        out["created"], out["model"] = asked.created_s, reply.model or asked.model
    if "choices" not in absent and "choices" not in out:
        out["choices"] = [_choice(each, asked) for each in reply.choices]
    if reply.usage is not None:
        out["usage"] = write_usage(reply.usage, SHAPE)
    return out


def reply_id(asked: Asked) -> str:
    """The id of a reply that another shape's vendor gave."""
    return f"cmpl-{asked.request_id}"


def echoed(asked: Asked) -> str:
    """The prompt, where the client wants it before the completion."""
    extras = asked.request.extras
    if extras is None or extras.shape != SHAPE or extras.fields.get("echo") is not True:
        return ""
    return text_of(asked.request.messages[0].parts) if asked.request.messages else ""


def words_of(part: Part) -> str:
    """What of a part is text: a refusal and spoken words too."""
    if isinstance(part, Text | Refused):
        return part.text
    return part.transcript if isinstance(part, Audio) else ""


def finish_word(choice: Choice, *, own: bool, refused: bool = False) -> str:
    """Why the completion ended; a completion knows no tools, and what it has of a refusal are the words."""
    refused = refused or any(isinstance(part, Refused) for part in choice.parts)
    word = write_finish(choice.finish or "other", choice.native, own=own, refused=refused)
    return word if own or word != "tool_calls" else "stop"


def _choice(choice: Choice, asked: Asked) -> dict[str, Any]:
    own = is_own(choice.extras, SHAPE)
    out = extras_of(choice.extras, SHAPE)
    named = out.pop("~finish", False)
    out["index"] = choice.index
    text = "".join([words_of(part) for part in choice.parts])
    before = "" if own else echoed(asked)
    out["text"] = before + text
    if choice.logprobs is not None:
        out["logprobs"] = write_logprobs(choice.logprobs, SHAPE, len(before))
    elif not own:
        out["logprobs"] = None
    if choice.finish is not None:
        out["finish_reason"] = finish_word(choice, own=named)
    elif not own:
        out["finish_reason"] = None
    return out
