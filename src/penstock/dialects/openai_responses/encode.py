"""A whole answer as a `response` object."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatReply, Choice
from penstock.core.parts import Refused, Text
from penstock.dialects.openai_responses.echo import response_object
from penstock.dialects.openai_responses.items import Items, encode_output
from penstock.ports.translation import Asked
from penstock.shapes.openai_responses.finish import finish_of_parts, status_fields
from penstock.shapes.openai_responses.logprobs import encode_logprobs
from penstock.shapes.openai_responses.names import is_own, mark, wire_fields
from penstock.shapes.openai_responses.usage import encode_usage
from penstock.shapes.taker import put

_NO_CHOICE = Choice()


def encode_reply(reply: ChatReply, asked: Asked) -> dict[str, Any]:
    """The response; the API has no second answer, so that only the first is told."""
    choice = reply.choices[0] if reply.choices else _NO_CHOICE
    items = Items(asked.request, asked.request_id)
    if is_own(reply.extras):
        return _own(reply, choice, items)
    created = reply.created_s if reply.created_s is not None else asked.created_s
    out = response_object(asked, reply.model or asked.model, created)
    out.update(status_fields(choice.finish, refused=_refused(choice)))
    out["output"] = encode_output(choice.parts, items, _item_status(out))
    _add_logprobs(out["output"], choice)
    if reply.service_tier is not None:
        out["service_tier"] = reply.service_tier
    out["usage"] = encode_usage(reply.usage) if reply.usage is not None else None
    return out


def _own(reply: ChatReply, choice: Choice, items: Items) -> dict[str, Any]:
    out = wire_fields(reply.extras)
    if finish_of_parts(out, choice.parts)[0] != choice.finish:
        out.update(status_fields(choice.finish, refused=_refused(choice)))
    created: Any = mark(reply.extras, "~created_at")
    if created is None or int(created) != reply.created_s:
        created = reply.created_s
    out["output"] = encode_output(choice.parts, items, "completed")
    return put(
        out,
        id=reply.id or None,
        model=reply.model or None,
        created_at=created,
        service_tier=reply.service_tier,
        usage=encode_usage(reply.usage) if reply.usage is not None else None,
    )


def _refused(choice: Choice) -> bool:
    return any(isinstance(part, Refused) for part in choice.parts)


def _item_status(response: dict[str, Any]) -> str:
    return "incomplete" if response["status"] == "incomplete" else "completed"


def _add_logprobs(output: list[dict[str, Any]], choice: Choice) -> None:
    """Those of another vendor belong to the answer, here to a text: the first one."""
    if choice.logprobs is None or not any(isinstance(part, Text) for part in choice.parts):
        return
    for item in output:
        for content in item.get("content", ()) if item["type"] == "message" else ():
            if content["type"] == "output_text":
                content["logprobs"] = encode_logprobs(choice.logprobs)
                return
