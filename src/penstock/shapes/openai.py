"""What is read of OpenAI-shaped answers: usage, finish reasons, errors, and the text of stream events.

Field names are those of https://platform.openai.com/docs/api-reference; the variants of compatible vendors
stand beside them. Everything else in an answer is forwarded unread, and a field of another type than expected
is taken as absent. A Raw that is absent is empty, one that is null is `null`: `given` tells.
"""

from __future__ import annotations

import msgspec

from penstock.shapes.loose import decode_loosely

_NONE = msgspec.Raw()
Number = int | float


class InputDetails(msgspec.Struct, gc=False):
    """Parts of the input tokens."""

    cached_tokens: Number | None = None
    cache_write_tokens: Number | None = None
    cache_creation_tokens: Number | None = None
    audio_tokens: Number | None = None
    image_tokens: Number | None = None


class OutputDetails(msgspec.Struct, gc=False):
    """Parts of the output tokens."""

    reasoning_tokens: Number | None = None
    audio_tokens: Number | None = None
    image_tokens: Number | None = None


class BilledUnits(msgspec.Struct, gc=False):
    """Cohere's rerank bill."""

    search_units: Number | None = None


class Meta(msgspec.Struct):
    """Cohere's envelope of the bill."""

    billed_units: BilledUnits | None = None


class CostShape(msgspec.Struct, gc=False):
    """Perplexity's bill, in dollars."""

    total_cost: Number | None = None


class CostDetails(msgspec.Struct, gc=False):
    """What the vendor behind OpenRouter charges, in dollars."""

    upstream_inference_cost: Number | None = None


class SearchShape(msgspec.Struct, gc=False):
    """What OpenRouter's tools did."""

    web_search_requests: Number | None = None


class UsageShape(msgspec.Struct):
    """Usage of chat and completions (`prompt_…`), responses, images and transcription (`input_…`)."""

    prompt_tokens: Number | None = None
    completion_tokens: Number | None = None
    input_tokens: Number | None = None
    output_tokens: Number | None = None
    total_tokens: Number | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None
    prompt_cache_hit_tokens: Number | None = None  # DeepSeek
    cached_tokens: Number | None = None  # Moonshot, Together
    cache_read_input_tokens: Number | None = None  # Vercel, Databricks
    cache_creation_input_tokens: Number | None = None  # the same
    audio_prompt_tokens: Number | None = None  # Grok on Azure
    seconds: Number | None = None  # transcription billed by duration
    cost: Number | CostShape | None = None  # what the vendor bills: shapes/billed.py
    cost_in_usd_ticks: Number | None = None
    cost_details: CostDetails | None = None
    is_byok: bool | None = None
    server_side_tool_usage_details: msgspec.Raw = _NONE  # xAI
    server_tool_use_details: SearchShape | None = None  # OpenRouter
    server_tool_use: SearchShape | None = None  # the same, before
    num_search_queries: Number | None = None  # Perplexity's deep research


class MessageShape(msgspec.Struct):
    """A message or a delta: only the kinds of content that count as output."""

    content: str | list[msgspec.Raw] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: msgspec.Raw = _NONE
    function_call: msgspec.Raw = _NONE
    audio: msgspec.Raw = _NONE


class ChoiceShape(msgspec.Struct):
    """One choice of a chat or completion answer or chunk."""

    finish_reason: str | None = None
    delta: MessageShape | None = None
    message: MessageShape | None = None
    text: str | None = None
    usage: UsageShape | None = None  # Moonshot, on the choice that finishes


class ResponseObject(msgspec.Struct):
    """The `response` of a Responses event."""

    model: str | None = None
    status: str | None = None
    usage: UsageShape | None = None
    error: msgspec.Raw = _NONE
    service_tier: str | None = None
    output: msgspec.Raw = _NONE
    tools: msgspec.Raw = _NONE
    tool_usage: msgspec.Raw = _NONE


class GroqShape(msgspec.Struct):
    """Groq's own member of a chunk: the usage of a stream for which nobody asked."""

    usage: UsageShape | None = None


class Answer(msgspec.Struct):
    """A whole answer, or one chunk of a stream, of any OpenAI-shaped endpoint."""

    model: str | None = None
    object: str | None = None
    status: str | None = None
    choices: list[ChoiceShape] | None = None
    usage: UsageShape | None = None
    x_groq: GroqShape | None = None
    error: msgspec.Raw = _NONE
    data: list[msgspec.Raw] | None = None
    meta: Meta | None = None
    service_tier: str | None = None
    output: msgspec.Raw = _NONE
    tools: msgspec.Raw = _NONE
    tool_usage: msgspec.Raw = _NONE


class ResponsesEvent(msgspec.Struct):
    """One event of a Responses, image or transcription stream."""

    type: str = ""
    delta: str | dict[str, msgspec.Raw] | None = None
    response: ResponseObject | None = None
    usage: UsageShape | None = None
    error: msgspec.Raw = _NONE
    code: str | None = None
    message: str | None = None


class ErrorShape(msgspec.Struct):
    """An OpenAI error object; `code` is a number at llama.cpp and Google.

    `wait_s`: the seconds that a body asks to wait, where its vendor says so there (Google's RetryInfo).
    """

    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    wait_s: float | None = msgspec.field(name="~wait_s", default=None)


class StreamOptions(msgspec.Struct):
    """The request's `stream_options`."""

    include_usage: bool | None = None


_answer = msgspec.json.Decoder(Answer).decode
_responses_event = msgspec.json.Decoder(ResponsesEvent).decode
decode_error = msgspec.json.Decoder(ErrorShape).decode


def decode_answer(text: bytes) -> Answer:
    """A whole answer or a chunk. Raises msgspec.DecodeError where it is not a JSON object."""
    try:
        return _answer(text)
    except msgspec.ValidationError:
        return decode_loosely(text, Answer)


def decode_responses_event(text: bytes) -> ResponsesEvent:
    """An event of a stream. Raises msgspec.DecodeError where it is not a JSON object."""
    try:
        return _responses_event(text)
    except msgspec.ValidationError:
        return decode_loosely(text, ResponsesEvent)


def given(raw: msgspec.Raw) -> bool:
    """Whether the member is there and not null."""
    return bool(raw) and bytes(raw) != b"null"
