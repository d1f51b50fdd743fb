"""The `cohere` package's rerank, through the gateway; its chat is no dialect that we serve."""

from __future__ import annotations

from penstock.testing.gateway import GatewayThread
from tests.clients.running import run_python


def test_texts_are_ranked(city_gateway: GatewayThread) -> None:
    """The best texts come first, as many as were asked for, and a wrong key is the SDK's own exception."""
    got = run_python("cohere", city_gateway.url, {"sim": "sim/echo"})
    scores = [score for _, score in got["sim"]]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert {index for index, _ in got["sim"]} <= {0, 1, 2}
    assert got["wrong_key"] == 401
