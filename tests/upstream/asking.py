"""Asks a route of the gateway for a chat, and reads what came of it."""

from __future__ import annotations

from typing import Any

from penstock.testing.gateway import GatewayThread
from tests.clients.plain import Plain, send

KEY = "sk-test-gateway"
FIRST, SECOND = "first+tokens-40", "second+tokens-40"


def ask(gateway: GatewayThread, route: str, *, stream: bool = False, **more: Any) -> Plain:
    """One chat."""
    messages = [{"role": "user", "content": "Hello there, how are you?"}]
    body = {"model": route, "messages": messages, "stream": stream, **more}
    return send(gateway.url + "/v1/chat/completions", body, KEY)


def code_of(answer: Plain) -> str:
    """The code of the error that an answer is."""
    return str(answer.json["error"]["code"])
