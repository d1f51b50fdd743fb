"""Google's generateContent, scripted, with its stream, countTokens and embeddings."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.clients.vendors import script
from tests.clients.vendors.chat import VECTOR
from tests.clients.vendors.script import Heard, Said
from tests.translation.upstream import Answer, Asked, sse

SEAL = "Z2VtaW5pIHNlYWxzIHRoaXM="


def _camel(value: Any) -> Any:
    """The API reads `camelCase` and `snake_case`, and clients write both."""
    text = json.dumps(value)
    return json.loads(re.sub(r'"(\w+)":', lambda key: re.sub(r"_(\w)", lambda at: at[1].upper(), key[0]), text))


def hear(asked: Any) -> Heard:
    """What was asked."""
    body = _camel(asked)
    parts: list[Any] = body["contents"][-1]["parts"]
    results = [part["functionResponse"]["response"] for part in parts if "functionResponse" in part]
    tools = script.listed(body.get("tools"))
    declared = [each for tool in tools for each in script.listed(tool.get("functionDeclarations"))]
    mode = script.member(body, "toolConfig", "functionCallingConfig", "mode")
    config: dict[str, Any] = body.get("generationConfig") or {}
    thinking: dict[str, Any] = config.get("thinkingConfig") or {}
    return Heard(
        tool=declared[0]["name"] if declared and mode != "NONE" else None,
        result=str(next(iter(results[-1].values()))) if results else None,
        shaped="responseSchema" in config or "responseJsonSchema" in config,
        thinking=bool(thinking.get("includeThoughts")),
        pictures=sum("inlineData" in part or "fileData" in part for part in parts),
        sealed=script.holds(body, SEAL),
    )


def _parts(said: Said) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if said.thought:
        parts.append({"text": said.thought, "thought": True})
    sealed = {"thoughtSignature": SEAL} if said.thought else {}
    if said.call is not None:
        parts.append({"functionCall": {"name": said.call, "args": said.input}, **sealed})
    else:
        parts.append({"text": said.text, **sealed})
    return parts


def _content(model: str, parts: list[dict[str, Any]], *, last: bool = True) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if last:
        candidate["finishReason"] = "STOP"
    prompt = script.FRESH + script.CACHED
    usage = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": script.OUTPUT,
        "totalTokenCount": prompt + script.OUTPUT,
        "cachedContentTokenCount": script.CACHED,
    }
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": "scripted"}


def _stream(model: str, said: Said) -> list[dict[str, Any]]:
    pieces: list[list[dict[str, Any]]] = [[part] for part in _parts(said)]
    if said.call is None:
        (whole,) = pieces.pop()
        pieces += [[{"text": each}] for each in said.pieces()]
        pieces[-1] = [{**whole, "text": said.pieces()[-1]}]
    return [_content(model, parts, last=parts is pieces[-1]) for parts in pieces]


def reply(asked: Asked) -> Answer:
    """The answer to one request."""
    model, _, method = asked.path.partition("?")[0].rpartition("/")[2].partition(":")
    if method == "countTokens":
        return Answer({"totalTokens": script.COUNTED})
    if method == "embedContent":
        return Answer({"embedding": {"values": VECTOR}})
    if method == "batchEmbedContents":
        return Answer({"embeddings": [{"values": VECTOR} for _ in asked.body["requests"]]})
    said = script.answer(hear(asked.body))
    if method == "streamGenerateContent":
        return sse(*_stream(model, said))
    return Answer(_content(model, _parts(said)))
