"""Embeddings, reranking and moderation: answers computed from the words that texts share."""

from __future__ import annotations

import base64
import hashlib
import math
import struct
from typing import Any

from penstock.simulator.asks import Embeddings, Moderation, Rerank, digest_of, parts_text
from penstock.simulator.behaviour import Behaviour
from penstock.simulator.completions import prompts_of
from penstock.simulator.reply import Reply, error_reply, json_reply
from penstock.simulator.words import count_tokens, tokens_of

USUAL_DIMENSIONS = 1536
MOST_DIMENSIONS = 8192
# How many dimensions each word moves; more of them makes unlike texts less alike by chance.
_SPREAD = 8
_NOISE = 0.002

_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)


def embeddings(ask: Embeddings, behaviour: Behaviour, seed: int) -> Reply:
    """One unit vector for each input; texts that share words point in similar directions."""
    dimensions = USUAL_DIMENSIONS if ask.dimensions is None else ask.dimensions
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        message = f"Invalid 'dimensions': must be 1 to {MOST_DIMENSIONS}."
        return error_reply(400, message, "invalid_value", "dimensions")
    if not ask.input:
        return error_reply(400, "Invalid 'input': it is empty.", "invalid_value", "input")
    inputs = prompts_of(ask.input)
    data: list[dict[str, Any]] = []
    for index, (text, count) in enumerate(inputs):
        packed = vector(text or f"{count} token numbers: {ask.input}", dimensions, seed)
        value: object = (
            base64.b64encode(packed).decode()
            if ask.encoding_format == "base64"
            else struct.unpack(f"<{dimensions}f", packed)
        )
        data.append({"object": "embedding", "index": index, "embedding": value})
    body: dict[str, Any] = {"object": "list", "data": data, "model": ask.model}
    if behaviour.usage != "never":
        total = sum(count for _, count in inputs)
        body["usage"] = {"prompt_tokens": total, "total_tokens": total}
    return json_reply(body, digest_of(seed, "embedding", ask.model, ask.input))


def vector(text: str, dimensions: int, seed: int) -> bytes:
    """A unit vector for the text, as little-endian 32-bit floats."""
    noise = hashlib.shake_256(f"{seed}:{text}".encode()).digest(dimensions)
    values = [(byte - 127.5) * _NOISE / 128 for byte in noise]
    for word in tokens_of(text):
        places = struct.unpack(
            f"<{_SPREAD}I", hashlib.shake_256(word.strip().lower().encode()).digest(4 * _SPREAD)
        )
        for place in places:
            values[(place >> 1) % dimensions] += 1.0 if place & 1 else -1.0
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return struct.pack(f"<{dimensions}f", *[value / length for value in values])


def rerank(ask: Rerank, _behaviour: Behaviour, seed: int) -> Reply:
    """Documents by the share of the query's words that they have, best first; equal ones in the given order.

    The answer has what Cohere's clients read (`meta`) and what Jina's do (`usage`).
    """
    texts = [each if isinstance(each, str) else parts_text([each]) for each in ask.documents]
    wanted = _words(ask.query)
    scores = [round(len(wanted & _words(text)) / max(1, len(wanted)) * 0.98 + 0.01, 6) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: -scores[index])
    if ask.top_n is not None:
        order = order[: max(0, ask.top_n)]
    results: list[dict[str, Any]] = []
    for index in order:
        result: dict[str, Any] = {"index": index, "relevance_score": scores[index]}
        if ask.return_documents:
            result["document"] = {"text": texts[index]}
        results.append(result)
    digest = digest_of(seed, "rerank", ask.model, ask.query, ask.documents)
    total = sum(count_tokens(text) for text in [ask.query, *texts])
    body = {
        "id": f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}",
        "model": ask.model,
        "results": results,
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"search_units": max(1, math.ceil(len(texts) / 100))},
        },
        "usage": {"prompt_tokens": total, "total_tokens": total},
    }
    return json_reply(body, digest)


def _words(text: str) -> set[str]:
    return {word.strip().lower() for word in tokens_of(text) if word.strip().isalnum()}


def moderations(ask: Moderation, _behaviour: Behaviour, seed: int) -> Reply:
    """A text is flagged for each category whose name, or the part after its `/`, stands in it as a word."""
    texts: list[str] = [ask.input] if isinstance(ask.input, str) else []
    if not texts:
        parts = ask.input
        typed = all(isinstance(part, dict) for part in parts)
        texts = [parts_text(parts)] if typed else [parts_text([part]) for part in parts]
    digest = digest_of(seed, "moderation", ask.model, texts)
    body = {"id": f"modr-{digest[:16]}", "model": ask.model, "results": [_verdict(text) for text in texts]}
    return json_reply(body, digest)


def _verdict(text: str) -> dict[str, Any]:
    said = set(text.lower().replace(",", " ").replace(".", " ").split())
    categories = {name: bool({name, name.rsplit("/", 1)[-1]} & said) for name in _CATEGORIES}
    return {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": {name: 0.98 if hit else 0.001 for name, hit in categories.items()},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
