"""Chat completions, of OpenAI and of those who speak it in their own ways; and Mistral's.

https://platform.openai.com/docs/api-reference/chat/object and each vendor's page in the registry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from penstock.providers.vendors import VENDORS
from tests.providers.forms.form import (
    CACHED,
    CALL_ARGUMENTS,
    CALL_ID,
    CALL_NAME,
    INPUT,
    MODEL,
    OUTPUT,
    TEXT,
    Form,
)
from tests.translation.upstream import Answer, sse

_BASE = {"id": "c-1", "created": 1_700_000_000, "model": MODEL}
_PLAIN = {"prompt_tokens": INPUT, "completion_tokens": OUTPUT, "total_tokens": INPUT + OUTPUT}
_DETAILS = {**_PLAIN, "prompt_tokens_details": {"cached_tokens": CACHED}}
_FUNCTION = {"name": CALL_NAME, "arguments": "".join(CALL_ARGUMENTS)}


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How a vendor differs from OpenAI.

    Attributes:
        usage: Its usage object.
        told: Where a stream has it: on a chunk of its own (and in Groq's member), on the one that finishes, or
            on each.
        first: What comes before the first chunk.
        whole: Further members of a whole answer.
        error: The body of an error.
        wrong_key: Status and body for a wrong key.
    """

    usage: dict[str, Any] = field(default_factory=lambda: dict(_DETAILS))
    told: str = "own"
    first: tuple[dict[str, Any], ...] = ()
    whole: dict[str, Any] = field(default_factory=dict[str, Any])
    error: Callable[[int, str], Any] = lambda status, text: {
        "error": {"message": text, "type": "invalid_request_error", "param": None, "code": str(status)}
    }
    wrong_key: Callable[[str], tuple[int, Any]] = lambda key: (
        401,
        {
            "error": {
                "message": f"Incorrect API key provided: {key}.",
                "type": "invalid_request_error",
                "code": "invalid_api_key",
            }
        },
    )


_FILTERS: dict[str, Any] = {"hate": {"filtered": False, "severity": "safe"}}
_AZURE = Ways(
    first=(
        {
            "id": "",
            "object": "",
            "created": 0,
            "model": "",
            "choices": [],
            "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _FILTERS}],
        },
    ),
    whole={"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _FILTERS}]},
    error=lambda status, text: {"error": {"code": str(status), "message": text}},
    wrong_key=lambda _key: (
        401,
        {
            "error": {
                "code": "401",
                "message": "Access denied due to invalid subscription key or wrong API endpoint.",
            }
        },
    ),
)
_ERROR_TEXT = Ways(
    usage=dict(_PLAIN),
    error=lambda _status, text: {"error": text},
    wrong_key=lambda _key: (401, {"error": "Invalid username or password."}),
)
_WAYS: dict[str, Ways] = dict.fromkeys(
    (
        "azure",
        "azure-deployments",
        "azure-government",
        "azure-foundry",
        "azure-foundry-models",
        "github",
    ),
    _AZURE,
) | {
    # https://api-docs.deepseek.com/guides/kv_cache
    "deepseek": Ways(
        usage={**_PLAIN, "prompt_cache_hit_tokens": CACHED, "prompt_cache_miss_tokens": INPUT - CACHED},
        told="finish",
        wrong_key=lambda key: (
            401,
            {
                "error": {
                    "message": f"Authentication Fails, Your api key: {key} is invalid",
                    "type": "authentication_error",
                    "code": "invalid_request_error",
                }
            },
        ),
    ),
    # https://docs.x.ai/docs/key-information/debugging: a wrong key is a bad request.
    "xai": Ways(
        error=lambda _status, text: {"code": "Client specified an invalid argument", "error": text},
        wrong_key=lambda key: (
            400,
            {"code": "Client specified an invalid argument", "error": f"Incorrect API key provided: {key}."},
        ),
    ),
    # https://docs.perplexity.ai/api-reference/chat-completions-post: usage on every chunk, sources beside it
    "perplexity": Ways(
        usage=dict(_PLAIN),
        told="each",
        whole={
            "citations": ["https://example.com"],
            "search_results": [{"title": "A", "url": "https://example.com"}],
        },
    ),
    # https://docs.z.ai/guides/capabilities/streaming
    "zai": Ways(told="finish", error=lambda status, text: {"error": {"code": str(status), "message": text}}),
    # https://platform.moonshot.ai/docs/api/chat
    "moonshot": Ways(usage={**_PLAIN, "cached_tokens": CACHED}),
    # https://docs.fireworks.ai/tools-sdks/openai-compatibility: usage in the final chunk
    "fireworks": Ways(told="finish"),
    # https://console.groq.com/docs/api-reference: usage in a member of its own, and where it is asked for
    "groq": Ways(usage=dict(_PLAIN), told="x_groq"),
    # https://docs.databricks.com/machine-learning/foundation-models/api-reference: usage unasked, on each chunk
    "databricks": Ways(
        usage=dict(_PLAIN),
        told="each",
        error=lambda _status, text: {"error_code": "BAD_REQUEST", "message": text},
        wrong_key=lambda _key: (403, {"error_code": "403", "message": "Invalid access token."}),
    ),
    # https://developers.cloudflare.com/api: its own envelope for errors
    "cloudflare": Ways(
        usage=dict(_PLAIN),
        error=lambda status, text: {
            "success": False,
            "errors": [{"code": status, "message": text}],
            "messages": [],
            "result": None,
        },
        wrong_key=lambda _key: (
            401,
            {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}], "result": None},
        ),
    ),
    "huggingface": _ERROR_TEXT,
    "tgi": Ways(
        usage=dict(_PLAIN),
        error=lambda _status, text: {"error": text, "error_type": "validation"},
    ),
    # https://docs.api.nvidia.com/nim/reference: problem details
    "nvidia": Ways(
        usage=dict(_PLAIN),
        error=lambda status, text: {
            "type": "urn:error",
            "title": "Bad Request",
            "status": status,
            "detail": text,
        },
        wrong_key=lambda _key: (403, {"status": 403, "title": "Forbidden", "detail": "Authorization failed"}),
    ),
    # https://docs.vllm.ai: the error without an envelope, as its earlier versions write it
    "vllm": Ways(
        error=lambda status, text: {
            "object": "error",
            "message": text,
            "type": "BadRequestError",
            "param": None,
            "code": status,
        },
        wrong_key=lambda _key: (401, {"error": "Unauthorized"}),
    ),
}


def _whole(message: dict[str, Any], finish: str, ways: Ways) -> Answer:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return Answer(
        {**_BASE, "object": "chat.completion", "choices": [choice], "usage": ways.usage, **ways.whole}
    )


def _stream(deltas: list[dict[str, Any]], finish: str, ways: Ways) -> Answer:
    each = {"usage": ways.usage} if ways.told == "each" else {}
    at_end: dict[str, Any] = {"usage": ways.usage} if ways.told in ("finish", "each") else {}
    if ways.told == "x_groq":
        at_end = {"x_groq": {"id": "req_1", "usage": ways.usage}}
    base = {**_BASE, "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], reason: str | None, more: dict[str, Any]) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}

    chunks = [chunk(delta, None, each) for delta in deltas] + [chunk({}, finish, at_end)]
    if ways.told in ("own", "x_groq"):
        chunks.append({**base, "choices": [], "usage": ways.usage})
    return sse(*ways.first, *chunks, done=True)


def _call_deltas() -> list[dict[str, Any]]:
    head = {"name": CALL_NAME, "arguments": ""}
    deltas: list[dict[str, Any]] = [
        {"role": "assistant", "tool_calls": [{"index": 0, "id": CALL_ID, "type": "function", "function": head}]}
    ]
    return deltas + [
        {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in CALL_ARGUMENTS
    ]


def _refused(status: int, body: Any) -> Answer:
    return Answer(body, status=status)


def _form(ways: Ways, cap: str) -> Form:
    call = {"id": CALL_ID, "type": "function", "function": _FUNCTION}
    text = [{"role": "assistant", "content": TEXT[0]}, {"content": TEXT[1]}]
    return Form(
        path=lambda _stream: "/chat/completions",
        text=_whole({"content": "".join(TEXT)}, "stop", ways),
        text_stream=_stream(text, "stop", ways),
        call=_whole({"content": None, "tool_calls": [call]}, "tool_calls", ways),
        call_stream=_stream(_call_deltas(), "tool_calls", ways),
        refusal=lambda status, said: _refused(status, ways.error(status, said)),
        wrong_key=lambda key: _refused(*ways.wrong_key(key)),
        cap=(cap,),
        tool=("tools", 0, "function", "name"),
        caches=ways.usage != _PLAIN,
    )


def form_of(kind: str) -> Form:
    """The form of a compatible vendor."""
    # A server of kind openai that is not OpenAI knows the older name alone.
    cap = "max_tokens" if kind == "openai" else VENDORS[kind].cap_field
    return _form(_WAYS.get(kind, Ways()), cap)


# https://docs.mistral.ai/api: nearly the same; its ids have nine letters and digits.
MISTRAL = _form(
    Ways(
        usage=dict(_PLAIN),
        told="finish",
        error=lambda status, text: {
            "object": "error",
            "message": text,
            "type": "invalid_request_error",
            "code": status,
        },
        wrong_key=lambda _key: (401, {"message": "Unauthorized", "request_id": "r-1"}),
    ),
    "max_tokens",
)
