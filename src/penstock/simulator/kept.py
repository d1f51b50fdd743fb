"""Responses that were made and may be asked for again, for as long as the process lives."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.simulator import responses
from penstock.simulator.asks import Responses
from penstock.simulator.behaviour import Behaviour
from penstock.simulator.reply import Reply, error_reply, json_reply

MOST = 1024
Value = dict[str, Any]
_ask = msgspec.json.Decoder(Responses).decode


class KeptResponses:
    """The latest responses by id, each with the request that made it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._kept: dict[str, tuple[Responses, Value]] = {}

    def add(self, path: str, body: bytes, behaviour: Behaviour) -> None:
        """Keep the response to this request, if it is one that is to be kept."""
        if path.removeprefix("/v1") != "/responses":
            return
        ask = _ask(body)
        if ask.store is False:
            return
        whole = msgspec.structs.replace(ask, stream=None, background=None)
        value: Value = msgspec.json.decode(responses.answer(whole, behaviour, self._seed).body)
        self._kept[value["id"]] = (ask, value | {"background": bool(ask.background)})
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]

    def visit(self, method: str, path: str, body: bytes) -> Reply | None:
        """The answer to a request that has to do with what is kept, None for any other."""
        short = path.removeprefix("/v1")
        if short in ("/responses", "/responses/input_tokens", "/responses/compact"):
            return self._about(method, short, body)
        if not short.startswith("/responses/"):
            return None
        name, _, part = short.removeprefix("/responses/").partition("/")
        found = self._kept.get(name)
        if found is None:
            return error_reply(404, f"Response with id '{name}' not found.", "response_not_found")
        if (method, part) == ("DELETE", ""):
            del self._kept[name]
        return _told(method, part, *found) or error_reply(
            405, f"Not allowed: {method} {path}", "method_not_allowed"
        )

    def _about(self, method: str, short: str, body: bytes) -> Reply | None:
        """An earlier response that is not there; a count; a compaction."""
        if method != "POST":
            return None
        try:
            ask = _ask(body)
        except msgspec.DecodeError:
            return None if short == "/responses" else error_reply(400, "We could not parse the JSON body.")
        previous = ask.previous_response_id
        if previous is not None and previous not in self._kept:
            told = f"Previous response with id '{previous}' not found."
            return error_reply(400, told, "previous_response_not_found", "previous_response_id")
        if short == "/responses":
            return None
        tokens = responses.prompt_tokens(ask)
        if short == "/responses/input_tokens":
            return json_reply({"object": "response.input_tokens", "input_tokens": tokens}, "")
        usage = {
            "input_tokens": tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 1,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens + 1,
        }
        items = [{"type": "compaction", "id": "cmp_1", "encrypted_content": "simulated"}]
        compaction = {"id": "resp_compact", "object": "response.compaction", "created_at": 1_750_000_000}
        return json_reply(compaction | {"output": items, "usage": usage}, "")


def _told(method: str, part: str, ask: Responses, value: Value) -> Reply | None:
    """What is said about one that is kept; None where there is no such method."""
    match method, part:
        case "GET", "":
            return json_reply(value, "")
        case "DELETE", "":
            return json_reply({"id": value["id"], "object": "response", "deleted": True}, "")
        case "GET", "input_items":
            items = _items(ask)
            ends = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {}
            return json_reply({"object": "list", "data": items, "has_more": False, **ends}, "")
        case "POST", "cancel":
            if not value["background"]:
                return error_reply(400, "Cannot cancel a synchronous response.", "invalid_value")
            return json_reply(value | {"status": "cancelled"}, "")
        case _:
            return None


def _items(ask: Responses) -> list[Value]:
    if not isinstance(ask.input, list):
        content = [{"type": "input_text", "text": ask.input or ""}]
        return [{"id": "msg_0", "type": "message", "role": "user", "content": content}]
    return [{"id": f"msg_{at}", **item} for at, item in enumerate(ask.input)][::-1]
