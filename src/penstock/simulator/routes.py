"""Which paths belong to another API than OpenAI's."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qs, unquote

from penstock.simulator import anthropic, converse, gemini
from penstock.simulator.reply import Api, Prepared, Reply, Request

# Google's own addresses, and Vertex AI's, where the project and the place stand before the model.
_GEMINI = re.compile(
    r"(?:/v1(?:beta1?|alpha)?)?(?:/projects/[^:]+/publishers/[^/]+)?/(?:tunedM|m)odels/"
    r"([^:]+(?::[^:]+)*):((?:(?:stream|batch)?[gG]enerate|embed|batchEmbed|count|compute)\w+)"
)
_CONVERSE = re.compile(r"/model/(.+)/(converse(?:-stream)?)")
_MESSAGES = re.compile(r"(?:/v1)?/messages(/count_tokens)?")
_GOOGLE_MODELS = re.compile(r"/v1(?:beta1?|alpha)/models(?:/([^:]+))?")
_OPENAI_MODELS = re.compile(r"/v1/models(?:/(.+))?")
_POST = frozenset({"POST"})
_READ = frozenset({"GET", "HEAD"})


class Route(NamedTuple):
    """The API of a path, what the path says, and what reads the request."""

    api: Api
    model: str
    action: str
    methods: frozenset[str]
    prepare: Callable[[Request], Prepared | Reply]


@lru_cache(maxsize=4096)
def route(path: str, query: str, *, lists: bool) -> Route | None:
    """The route of a path, or None where OpenAI's API has it.

    `lists`: the client is one of Anthropic's, so that a list of models is in that API's shape.
    """
    if found := _MESSAGES.fullmatch(path):
        action = "count_tokens" if found[1] else "messages"
        return Route(anthropic.API, "", action, _POST, anthropic.prepare)
    if found := _CONVERSE.fullmatch(path):
        return Route(converse.API, unquote(found[1]), found[2], _POST, converse.prepare)
    if found := _GEMINI.fullmatch(path.replace("%3A", ":")):
        array = found[2] == "streamGenerateContent" and parse_qs(query).get("alt") != ["sse"]
        api = gemini.ARRAY_API if array else gemini.API
        return Route(api, unquote(found[1]), found[2], _POST, gemini.prepare)
    if found := _GOOGLE_MODELS.fullmatch(path):
        return Route(gemini.API, unquote(found[1] or ""), "models", _READ, gemini.prepare)
    if lists and (found := _OPENAI_MODELS.fullmatch(path)):
        return Route(anthropic.API, unquote(found[1] or ""), "models", _READ, anthropic.prepare)
    return None
