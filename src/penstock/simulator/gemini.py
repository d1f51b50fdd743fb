"""The Gemini API: contents, whole, as events and as a JSON array, and the errors in Google's shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from penstock.simulator import gemini_embeddings
from penstock.simulator import gemini_fields as fields
from penstock.simulator.asks import digest_of
from penstock.simulator.behaviour import NAMES, Behaviour
from penstock.simulator.draft import Call, Draft, arguments_of, cached_tokens, draft
from penstock.simulator.gemini_request import SIGNED, check_generate, decoded
from penstock.simulator.gemini_wish import prompt_tokens, schema_of, wish_of
from penstock.simulator.reply import (
    JSON_TYPE,
    SSE_TYPE,
    Api,
    Prepared,
    Refused,
    Reply,
    Request,
    event,
    json_reply,
)
from penstock.simulator.signature import sign
from penstock.simulator.strict import within

Value = dict[str, Any]
_FINISHES = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
_TIERS = {"default": "standard", "priority": "priority"}
_HARMS = ("SEXUALLY_EXPLICIT", "HATE_SPEECH", "HARASSMENT", "DANGEROUS_CONTENT")
_WRONG_KEY = "API key not valid. Please pass a valid API key."
_RPC = "type.googleapis.com/google.rpc"
_ERRORS: dict[int, tuple[str, str]] = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request had invalid authentication credentials."),
    403: ("PERMISSION_DENIED", "The caller does not have permission"),
    404: ("NOT_FOUND", "Simulated: the model is not found for API version v1beta."),
    409: ("ABORTED", "The operation was aborted."),
    429: ("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    499: ("CANCELLED", "The operation was cancelled."),
    500: ("INTERNAL", "An internal error has occurred."),
    501: ("UNIMPLEMENTED", "Operation is not implemented."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}


def _error_value(status: int, message: str = "") -> Value:
    kind, usual = _ERRORS.get(status, _ERRORS[400] if status < 500 else _ERRORS[500])
    error: Value = {"code": status, "message": message or usual, "status": kind}
    if message == _WRONG_KEY:
        reason = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        service = {"metadata": {"service": "generativelanguage.googleapis.com"}}
        error["details"] = [{"@type": f"{_RPC}.ErrorInfo", **reason, **service}]
    elif status == 429:
        error["details"] = [{"@type": f"{_RPC}.RetryInfo", "retryDelay": "1s"}]
    elif message.startswith("Invalid JSON payload"):
        error["details"] = [{"@type": f"{_RPC}.BadRequest", "fieldViolations": [{"description": message}]}]
    return {"error": error}


def _error(status: int, message: str, digest: str) -> Reply:
    value = _error_value(status, message)
    return Reply(status=status, body=msgspec.json.encode(value), digest=digest, api=API)


def _array_error(status: int, message: str, digest: str) -> Reply:
    reply = _error(status, message, digest)
    reply.body = b"[" + reply.body + b"]"
    return reply


API = Api(
    error=_error,
    wrong_key=(400, _WRONG_KEY),
    id_header="x-simulator-request-id",
    id_form="{}",
    head="server: scaffolding on HTTPServer2\r\nvary: Origin, X-Origin, Referer\r\n",
    garbage=b'{"candidates": [{"content": {"parts": [{"te',
)
# A stream that is not asked for as events is a JSON array, and so are its errors.
ARRAY_API = API._replace(error=_array_error)


class _Made(NamedTuple):
    """Everything that an answer says; `prompt` and `cached` are tokens, -1 where usage is not reported."""

    model: str
    digest: str
    drafts: Sequence[Draft]
    prompt: int
    cached: int
    thoughts: bool
    behaviour: Behaviour


def prepare(request: Request) -> Prepared | Reply:
    """A request to any of the endpoints. Raises Refused."""
    model, action = request.model, request.action
    if action == "models":
        return _models(model)
    if action == "countTokens":
        ask = decoded(request.body, fields.COUNT)
        return Prepared(model, stream=False, user="", answer=partial(_count, _counted(ask, model), model))
    if action in {"embedContent", "batchEmbedContents"}:
        return gemini_embeddings.prepare(request, API)
    if action not in {"generateContent", "streamGenerateContent"}:
        raise Refused(
            f"models/{model} is not found for API version v1beta, or is not supported for {action}.", 404
        )
    ask = decoded(request.body, fields.GENERATE)
    check_generate(ask, model)
    stream = action == "streamGenerateContent"
    array = stream and parse_qs(request.query).get("alt") != ["sse"]
    return Prepared(model, stream, "", partial(answer, ask, model, stream=stream, array=array))


def answer(ask: Value, model: str, behaviour: Behaviour, seed: int, *, stream: bool, array: bool) -> Reply:
    """The candidates that the request asks for."""
    config = within(ask, "generationConfig")
    shape = [ask.get(name) for name in ("contents", "tools", "toolConfig", "systemInstruction")]
    digest = digest_of(seed, "gemini", model, shape, schema_of(config), config.get("stopSequences"))
    drafts: list[Draft] = []
    if not behaviour.blocked:
        wish = wish_of(ask, config, behaviour, digest)
        drafts = [draft(wish, behaviour, index) for index in range(config.get("candidateCount", 1))]
    prompt = -1 if behaviour.usage == "never" else prompt_tokens(ask)
    thoughts = bool(within(config, "thinkingConfig").get("includeThoughts"))
    made = _Made(model, digest, drafts, prompt, cached_tokens(behaviour, prompt), thoughts, behaviour)
    tokens = max((each.tokens for each in drafts), default=0)
    if not stream:
        return json_reply(_whole(made), digest, tokens, API)
    error = msgspec.json.encode(_error_value(503))
    broken = b'{"candidates":[{"content":{"parts":[{"te'
    reply = Reply(digest=digest, tokens=tokens, api=API)
    if array:
        reply.content_type, reply.events = JSON_TYPE, _as_array(_chunks(made))
        reply.error_event = (b",\r\n" if behaviour.after else b"[") + error + b"]"
        reply.broken_event = b",\r\n" + broken
    else:
        reply.content_type, reply.events = SSE_TYPE, (event(each) for each in _chunks(made))
        reply.error_event = b"data: " + error + b"\n\n"
        reply.broken_event = b"data: " + broken + b"\n\n"
    return reply


def _as_array(chunks: Iterator[Value]) -> Iterator[bytes]:
    start = b"["
    for each in chunks:
        yield start + msgspec.json.encode(each)
        start = b",\r\n"
    yield b"]"


def _usage(made: _Made, said: int, thought: int) -> Value:
    modality = [{"modality": "TEXT", "tokenCount": made.prompt}]
    usage: Value = {
        "promptTokenCount": made.prompt,
        "candidatesTokenCount": said,
        "totalTokenCount": made.prompt + said + thought,
        "promptTokensDetails": modality,
    }
    if thought:
        usage["thoughtsTokenCount"] = thought
    if made.behaviour.cached is not None:
        usage["cachedContentTokenCount"] = made.cached
        usage["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": made.cached}]
    usage["serviceTier"] = _TIERS.get(made.behaviour.service_tier, "standard")
    return usage


def _envelope(made: _Made, said: int, thought: int) -> Value:
    value: Value = {}
    if made.behaviour.blocked:
        ratings = [{"category": f"HARM_CATEGORY_{name}", "probability": "NEGLIGIBLE"} for name in _HARMS]
        ratings[-1]["probability"] = "HIGH"
        value["promptFeedback"] = {"blockReason": "SAFETY", "safetyRatings": ratings}
    if made.prompt >= 0:
        value["usageMetadata"] = _usage(made, said, thought)
    return value | {"modelVersion": made.model.rsplit("/", 1)[-1], "responseId": made.digest[:22]}


def _whole(made: _Made) -> Value:
    thought = sum(len(each.reasoning) for each in made.drafts)
    value = _envelope(made, sum(each.tokens for each in made.drafts) - thought, thought)
    if made.behaviour.blocked:
        return value
    candidates = [
        _candidate(_parts(made, each), index, _end(made, each)) for index, each in enumerate(made.drafts)
    ]
    return {"candidates": candidates, **value}


def _candidate(parts: list[Value], index: int, end: Value) -> Value:
    return {"content": {"parts": parts, "role": "model"} if parts else {}, **end, "index": index}


def _end(made: _Made, each: Draft) -> Value:
    if each.calls and made.behaviour.broken_arguments:
        said = "".join(each.calls[0].pieces)
        message = f"Malformed function call: {each.calls[0].name}({said}"
        return {"finishReason": "MALFORMED_FUNCTION_CALL", "finishMessage": message}
    end: Value = {"finishReason": _FINISHES[each.finish]}
    if each.finish == "content_filter":
        end["safetyRatings"] = [
            {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
        ]
    return end


def _calls(made: _Made, each: Draft) -> list[Value]:
    """The parts of the calls that came to their end; the first one is signed."""
    if made.behaviour.broken_arguments:
        return []
    parts: list[Value] = []
    for number, call in enumerate(each.calls):
        args: Any = arguments_of(call, broken=True)
        # Arguments that were cut off are text.
        if not isinstance(args, str):
            parts.append({"functionCall": {"name": call.name, "args": args, "id": _id(call, number)}})
            if number == 0:
                parts[0]["thoughtSignature"] = sign(SIGNED, [call.name, args], made.digest)
    return parts


def _id(call: Call, number: int) -> str:
    return f"{call.id.removeprefix('call_')[:6]}{number:02d}"


def _parts(made: _Made, each: Draft) -> list[Value]:
    parts: list[Value] = []
    if each.reasoning and made.thoughts:
        parts.append({"text": "".join(each.reasoning), "thought": True})
    if each.pieces:
        parts.append({"text": "".join(each.pieces)})
        if each.reasoning and not each.calls:
            parts[-1]["thoughtSignature"] = sign(SIGNED, None, made.digest)
    return parts + _calls(made, each)


def _chunks(made: _Made) -> Iterator[Value]:
    """The same as chunks: texts token by token, each call in one, and the end with what is left to sign."""
    if made.behaviour.blocked:
        yield _envelope(made, 0, 0)
    said = thought = 0
    for index, each in enumerate(made.drafts):
        for piece in each.reasoning:
            thought += 1
            if made.thoughts:
                part = {"text": piece, "thought": True}
                yield {"candidates": [_candidate([part], index, {})], **_envelope(made, said, thought)}
        for piece in each.pieces:
            said += 1
            yield {"candidates": [_candidate([{"text": piece}], index, {})], **_envelope(made, said, thought)}
        for part in _calls(made, each):
            yield {"candidates": [_candidate([part], index, {})], **_envelope(made, said, thought)}
        said += sum(len(call.pieces) + 1 for call in each.calls)
        last: Value = {"text": ""}
        if each.reasoning and not each.calls:
            last["thoughtSignature"] = sign(SIGNED, None, made.digest)
        candidate = _candidate([last], index, _end(made, each))
        yield {"candidates": [candidate], **_envelope(made, said, thought)}


def _counted(ask: Value, model: str) -> Value:
    inner = ask.get("generateContentRequest")
    if inner is not None and "contents" in ask:
        raise Refused("Only one of contents and generate_content_request can be set.")
    counted: Value = inner if inner is not None else ask
    if inner is not None and inner.get("model") != f"models/{model}":
        raise Refused("* CountTokensRequest.generate_content_request.model: it is not the model of the path.\n")
    check_generate(counted, model)
    return counted


def _count(ask: Value, model: str, _behaviour: Behaviour, seed: int) -> Reply:
    total = prompt_tokens(ask)
    body = {"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]}
    return json_reply(body, digest_of(seed, "gemini count", model, ask), 0, API)


def _model(name: str) -> Value:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent", "batchEmbedContents"],
    }


def _models(name: str) -> Reply:
    body = _model(name) if name else {"models": [_model(each.example) for each in NAMES]}
    return json_reply(body, "", 0, API)
