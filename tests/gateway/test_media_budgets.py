"""Requests for images, speech, transcripts and videos hold what they may cost before they are sent."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from penstock.core.exchange import AttemptOpened
from penstock.pipeline.media_bounds import image_tokens
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import KEY

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  tokens: {{provider: up, model: echo, price: {{input: 5, output: 10, image_output: 30}}}}
  each: {{provider: up, model: echo, price: {{per_image: 0.04}}}}
  voice: {{provider: up, model: echo, price: {{input: 0.6, output: 12}}}}
  minute: {{provider: up, model: echo, price: {{per_minute: 0.006}}}}
  grand: {{provider: up, model: echo, price: {{image_output: 30}}, set: {{quality: high, size: 1024x1024}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, direct: true{key}}}
"""
TEXT = "All the world is a stage, and all the men and women merely players. " * 20


def gateway(simulator: SimulatorThread, usd: float | None = None) -> GatewayThread:
    """A key with this hard budget."""
    key = f", budget: {{usd: {usd}, window: month}}" if usd is not None else ""
    return GatewayThread(CONFIG.format(url=simulator.url, key=key))


def post(running: GatewayThread, path: str, body: dict[str, Any] | bytes, kind: str = "") -> tuple[int, str]:
    """Status and error code of one call."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Authorization": f"Bearer {KEY}", "Content-Type": kind or "application/json"}
    request = urllib.request.Request(f"{running.url}/v1/{path}", data, lines)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            response.read()
            return response.status, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, str(json.load(error)["error"]["code"])


def form(fields: dict[str, str], sound: bytes, name: str) -> tuple[bytes, str]:
    """A multipart form with one recording."""
    parts = [f'--B\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    head = f'--B\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return "".join(parts).encode() + head.encode() + sound + b"\r\n--B--\r\n", "multipart/form-data; boundary=B"


def held_nanousd(running: GatewayThread) -> int:
    """What the last attempt held when it was opened."""
    opened = [event for event in running.events() if isinstance(event, AttemptOpened)]
    assert opened[-1].reserved_nanousd is not None
    return opened[-1].reserved_nanousd


def spent_nanousd(running: GatewayThread, count: int) -> int:
    """What all exchanges cost."""
    return sum(a.cost_nanousd or 0 for x in running.exchanges(count) for a in x.attempts)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "images/generations",
            {"model": "tokens", "prompt": "a ship", "quality": "medium", "size": "1024x1024"},
        ),
        ("images/generations", {"model": "each", "prompt": "a ship", "n": 2}),
        ("audio/speech", {"model": "voice", "input": TEXT, "voice": "alloy", "stream_format": "sse"}),
    ],
    ids=["picture tokens", "per image", "speech"],
)
def test_a_hard_budget_is_never_overspent(simulator: SimulatorThread, path: str, body: dict[str, Any]) -> None:
    """Sixty calls from thirty threads against a budget for some of them: what is charged stays within it."""
    with gateway(simulator, 0.5) as running:
        with ThreadPoolExecutor(30) as pool:
            told = Counter(
                call.result() for call in [pool.submit(post, running, path, body) for _ in range(60)]
            )
        assert set(told) <= {(200, ""), (402, "budget_exceeded")}
        assert told[200, ""] > 0
        assert spent_nanousd(running, 60) <= 500_000_000
    assert simulator.counts.total == told[200, ""]


def test_all_kinds_together_stay_within_one_budget(simulator: SimulatorThread) -> None:
    """Pictures, speech and transcripts at the same time, against the same dollar."""
    sound, kind = form({"model": "minute"}, b"\xff" * 600_000, "talk.mp3")
    calls: list[tuple[str, dict[str, Any] | bytes, str]] = [
        ("images/generations", {"model": "tokens", "prompt": "a ship", "n": 2}, ""),
        ("audio/speech", {"model": "voice", "input": TEXT, "voice": "alloy", "stream_format": "sse"}, ""),
        ("audio/transcriptions", sound, kind),
    ]
    with gateway(simulator, 1.0) as running:
        with ThreadPoolExecutor(30) as pool:
            told = [pool.submit(post, running, *calls[number % 3]) for number in range(90)]
            counted = Counter(call.result() for call in told)
        assert set(counted) == {(200, ""), (402, "budget_exceeded")}
        assert spent_nanousd(running, 90) <= 1_000_000_000


def test_a_picture_that_cannot_be_paid_is_not_asked_for(simulator: SimulatorThread) -> None:
    """One in high quality takes 7,024 tokens at most: 21 cents; with less left, it is refused."""
    with gateway(simulator, 0.2) as running:
        body = {"model": "tokens", "prompt": "a ship", "quality": "high", "size": "1024x1024"}
        assert post(running, "images/generations", body) == (402, "budget_exceeded")
        assert post(running, "images/generations", {**body, "quality": "low"}) == (200, "")
    assert simulator.counts.total == 1


def test_what_a_request_holds_follows_what_it_asks_for(simulator: SimulatorThread) -> None:
    """Number, quality, sketches on the way, and what the deployment sets over the client's wish."""
    with gateway(simulator) as running:
        small = {"model": "tokens", "prompt": "", "quality": "low", "size": "1024x1024"}
        post(running, "images/generations", small)
        base = held_nanousd(running)
        assert base >= image_tokens("low", "1024x1024") * 30_000
        post(running, "images/generations", {**small, "n": 3})
        assert held_nanousd(running) - base == 2 * 272 * 30_000
        post(running, "images/generations", {**small, "stream": True, "partial_images": 2})
        assert held_nanousd(running) - base == 200 * 30_000
        post(running, "images/generations", {**small, "model": "grand"})
        assert held_nanousd(running) >= 7_024 * 30_000


def test_a_recordings_length_is_known_from_its_head(simulator: SimulatorThread) -> None:
    """A WAV file holds its true minutes; a compressed one as many as its size allows."""
    rate = 16_000
    head = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + (8_000).to_bytes(4, "little")
    wave = head + rate.to_bytes(4, "little") + b"\x02\0\x10\0data" + bytes(4)
    wave += bytes(60 * rate - len(wave))
    with gateway(simulator) as running:
        post(running, "audio/transcriptions", *form({"model": "minute"}, wave, "a.wav"))
        assert held_nanousd(running) == 6_000_000
        post(running, "audio/transcriptions", *form({"model": "minute"}, b"x" * 60_000, "a.mp3"))
        assert held_nanousd(running) == 6_000_000


def test_tokens_of_pictures_by_quality_and_size() -> None:
    """The documented numbers, `auto` as the dearest, and sizes that only newer models know."""
    assert image_tokens("low", "1024x1024") == 272
    assert image_tokens("high", "1536x1024") == 6240
    assert image_tokens("high", "1024x1024") == 7024
    assert image_tokens("auto", "auto") == image_tokens("", "") == 7024
    assert image_tokens("high", "3584x2048") > 12_000
