"""Which paths belong to another API than OpenAI's."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from penstock.simulator import anthropic
from penstock.simulator.reply import Api, Prepared, Reply, Request

_MESSAGES = re.compile(r"(?:/v1)?/messages(/count_tokens)?")
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
def route(path: str, _query: str, *, lists: bool) -> Route | None:
    """The route of a path, or None where OpenAI's API has it.

    `lists`: the client is one of Anthropic's, so that a list of models is in that API's shape.
    """
    if found := _MESSAGES.fullmatch(path):
        action = "count_tokens" if found[1] else "messages"
        return Route(anthropic.API, "", action, _POST, anthropic.prepare)
    if lists and (found := _OPENAI_MODELS.fullmatch(path)):
        return Route(anthropic.API, unquote(found[1] or ""), "models", _READ, anthropic.prepare)
    return None
