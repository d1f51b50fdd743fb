"""Calls from web pages: preflights, readable answers, and nothing for pages that are not named."""

from __future__ import annotations

import http.client
import json
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from penstock.config.load import load_text
from penstock.config.problem import ConfigError
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread

PAGE = "https://app.example.com"
CONFIG = """
version: 1
server: {{cors: {{origins: [{origins}]}}}}
providers: {{sim: {{kind: simulator}}}}
keys: [{{name: dev, secret: sk-test-gateway, direct: true}}]
"""
CHAT = json.dumps({"model": "sim/echo", "messages": [{"role": "user", "content": "Hello"}]})
Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def gateway(origins: str = f'"{PAGE}", "http://localhost:3000"') -> Generator[GatewayThread]:
    """A gateway in front of the simulator."""
    with (
        SimulatorThread() as sim,
        GatewayThread(CONFIG.format(origins=origins), urls={"simulator": f"{sim.url}/v1"}) as running,
    ):
        yield running


def call(url: str, method: str, path: str, body: str | None = None, **fields: str) -> Answer:
    """One call as a browser makes it for a page."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port or 0, timeout=30)
    try:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        connection.request(method, path, body, headers | ({"content-type": "application/json"} if body else {}))
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def cors_of(answer: Answer) -> dict[str, str]:
    """The fields by which a browser decides."""
    return {name: value for name, value in answer[1].items() if name.startswith("access-control-")}


def preflight(url: str, origin: str, headers: str = "authorization, content-type", path: str = "") -> Answer:
    """What a browser asks before it sends a request with a key."""
    asked = {"access_control_request_method": "POST", "access_control_request_headers": headers}
    return call(url, "OPTIONS", path or "/v1/chat/completions", origin=origin, **asked)


def test_a_named_page_may_ask_and_read() -> None:
    """The preflight allows what dialects take; the answer and a refusal can be read, with our fields."""
    with gateway() as running:
        asked = preflight(
            running.url, PAGE, "authorization, x-stainless-os, cookie, x-other, anthropic-version"
        )
        assert asked[0] == 204
        told = cors_of(asked)
        assert told["access-control-allow-origin"] == PAGE
        assert told["access-control-allow-headers"] == "authorization, x-stainless-os, anthropic-version"
        assert "POST" in told["access-control-allow-methods"]
        assert asked[1]["vary"] == "origin"
        answer = call(
            running.url,
            "POST",
            "/v1/chat/completions",
            CHAT,
            origin=PAGE,
            authorization="Bearer sk-test-gateway",
        )
        assert answer[0] == 200
        assert cors_of(answer)["access-control-allow-origin"] == PAGE
        exposed = cors_of(answer)["access-control-expose-headers"].split(", ")
        ours = [name for name in answer[1] if name.startswith("x-penstock-")]
        assert ours
        assert set(ours) <= set(exposed)
        refused = call(running.url, "POST", "/v1/chat/completions", CHAT, origin=PAGE)
        assert (refused[0], cors_of(refused)["access-control-allow-origin"]) == (401, PAGE)


def test_a_stream_can_be_read() -> None:
    """The head of an answer that comes in pieces has the fields, too, and the pieces are the usual ones."""
    body = CHAT[:-1] + ', "stream": true}'
    with gateway() as running:
        key = {"authorization": "Bearer sk-test-gateway"}
        answer = call(running.url, "POST", "/v1/chat/completions", body, origin="http://localhost:3000", **key)
        assert cors_of(answer)["access-control-allow-origin"] == "http://localhost:3000"
        assert answer[2].endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("origin", ["https://evil.example", "https://app.example.com.evil.example", "null", ""])
def test_other_pages_get_nothing(origin: str) -> None:
    """No field at all, for the question as for the answer; caches are told that it depends on the page."""
    with gateway() as running:
        asked = preflight(running.url, origin)
        assert (asked[0], cors_of(asked)) == (405, {})
        key = {"authorization": "Bearer sk-test-gateway"}
        answer = call(running.url, "POST", "/v1/chat/completions", CHAT, origin=origin, **key)
        assert (answer[0], cors_of(answer), answer[1]["vary"]) == (200, {}, "origin")


def test_every_page_may_be_named_and_cookies_never_are() -> None:
    """`*` is told as it is, and credentials of the browser are allowed to nobody."""
    with gateway('"*"') as running:
        for answer in (
            preflight(running.url, "https://anything.example"),
            call(
                running.url, "GET", "/v1/models", origin="https://anything.example", x_api_key="sk-test-gateway"
            ),
        ):
            assert answer[0] in (200, 204)
            told = cors_of(answer)
            assert told["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in told


@pytest.mark.parametrize("path", ["/admin/api/keys", "/ui", "/ui/login", "/metrics"])
def test_the_dashboard_answers_no_page(path: str) -> None:
    """What a logged-in browser could be misused for has no such fields, whoever asks."""
    with gateway('"*"') as running:
        for answer in (preflight(running.url, PAGE, path=path), call(running.url, "GET", path, origin=PAGE)):
            assert cors_of(answer) == {}


def test_nothing_is_answered_where_no_page_is_named() -> None:
    """Without the setting a gateway says nothing to browsers."""
    with gateway("") as running:
        assert cors_of(preflight(running.url, PAGE)) == {}


@pytest.mark.parametrize(
    "origins",
    [
        '"https://app.example.com/"',
        '"app.example.com"',
        '"https://App.example.com"',
        '"null"',
        f'"*", "{PAGE}"',
    ],
)
def test_what_is_no_origin_is_refused(origins: str) -> None:
    """A mistake there would let nobody in without a word."""
    with pytest.raises(ConfigError, match="cors"):
        load_text(CONFIG.format(origins=origins), {})
