"""What a response repeats of its request, and the response around an answer that came from elsewhere."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest
from penstock.core.parts import Text
from penstock.ports.translation import Asked
from penstock.shapes.openai_responses.names import SHAPE, is_own, mark
from penstock.shapes.openai_responses.output import encode_format
from penstock.shapes.openai_responses.tools import encode_tool_choice, encode_tools
from penstock.shapes.taker import extras_of

# What a response says of a request that did not say it.
_DEFAULTS: dict[str, Any] = {
    "background": False,
    "max_tool_calls": None,
    "safety_identifier": None,
    "truncation": "disabled",
}


def response_id(asked: Asked) -> str:
    """The response's id."""
    return "resp_" + asked.request_id.removeprefix("req_")


def response_object(asked: Asked, model: str, created_s: int) -> dict[str, Any]:
    """A response in progress, with an empty output."""
    request = asked.request
    return {
        "id": response_id(asked),
        "object": "response",
        "created_at": created_s,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "usage": None,
        **_echo(request),
    }


def _echo(request: ChatRequest) -> dict[str, Any]:
    extras = extras_of(request.extras, SHAPE)
    wish = request.reasoning
    choice = request.tool_choice
    conversation = extras.get("conversation")
    return {
        **{name: extras[name] if extras.get(name) is not None else value for name, value in _DEFAULTS.items()},
        **({"prompt": extras["prompt"]} if "prompt" in extras else {}),
        **({"conversation": _conversation(conversation)} if conversation is not None else {}),
        "instructions": _instructions(request),
        "max_output_tokens": request.max_output_tokens,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel_tool_calls is not False,
        "previous_response_id": request.previous_response_id,
        "prompt_cache_key": request.cache_key,
        "reasoning": {
            "effort": wish.effort if wish is not None else None,
            "summary": wish.summary if wish is not None else None,
        },
        "service_tier": request.service_tier or "default",
        "store": request.store is not False,
        "temperature": request.temperature if request.temperature is not None else 1.0,
        "text": {
            "format": encode_format(request.output) if request.output is not None else {"type": "text"},
            "verbosity": request.verbosity or "medium",
        },
        "tool_choice": encode_tool_choice(choice, request.tools) if choice is not None else "auto",
        "tools": encode_tools(request.tools),
        "top_logprobs": request.top_logprobs or 0,
        "top_p": request.top_p if request.top_p is not None else 1.0,
        "user": request.user,
    }


def _conversation(value: Any) -> Any:
    return {"id": value} if isinstance(value, str) else value


def _instructions(request: ChatRequest) -> str | None:
    for message in request.messages:
        if is_own(message.extras) and mark(message.extras, "~instructions"):
            return "".join([part.text for part in message.parts if isinstance(part, Text)])
    return None
