"""The Gemini API's embeddings: one content, or several at once."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import partial
from typing import Any

from penstock.simulator import gemini_fields as fields
from penstock.simulator.asks import digest_of
from penstock.simulator.behaviour import Behaviour
from penstock.simulator.gemini_request import decoded
from penstock.simulator.reply import Api, Prepared, Refused, Reply, Request, json_reply
from penstock.simulator.strict import listed, within
from penstock.simulator.vectors import MOST_DIMENSIONS, vector

USUAL_DIMENSIONS = 3072
Value = dict[str, Any]


def prepare(request: Request, api: Api) -> Prepared:
    """A request for one embedding or for several. Raises Refused."""
    several = request.action == "batchEmbedContents"
    ask = decoded(request.body, fields.BATCH_EMBED if several else fields.EMBED)
    asks = listed(ask, "requests") if several else [ask]
    if not asks:
        raise Refused("* BatchEmbedContentsRequest.requests: requests is not specified\n")
    for index, each in enumerate(asks):
        where = f"* BatchEmbedContentsRequest.requests[{index}]" if several else "* EmbedContentRequest"
        if several and each.get("model", "").rsplit("/", 1)[-1] != request.model.rsplit("/", 1)[-1]:
            raise Refused(f"{where}.model: unexpected model name format, or not the model of the path\n")
        if not listed(within(each, "content"), "parts"):
            raise Refused(f"{where}.content: content is empty\n")
        if not 1 <= each.get("outputDimensionality", USUAL_DIMENSIONS) <= MOST_DIMENSIONS:
            raise Refused(f"{where}.output_dimensionality: must be in the range [1, {MOST_DIMENSIONS}]\n")
    answer = partial(_answer, asks, request.model, api, several=several)
    return Prepared(request.model, stream=False, user="", answer=answer)


def _answer(
    asks: Sequence[Value], model: str, api: Api, _behaviour: Behaviour, seed: int, *, several: bool
) -> Reply:
    found = [{"values": _values(each, seed)} for each in asks]
    body = {"embeddings": found} if several else {"embedding": found[0]}
    return json_reply(body, digest_of(seed, "gemini embedding", model, asks), 0, api)


def _values(ask: Value, seed: int) -> tuple[float, ...]:
    text = "\n".join(part.get("text") or "" for part in ask["content"]["parts"])
    dimensions = ask.get("outputDimensionality", USUAL_DIMENSIONS)
    return struct.unpack(f"<{dimensions}f", vector(text, dimensions, seed))
