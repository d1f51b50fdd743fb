"""Where nothing may be kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.responses.house import House, code, house
from tests.translation.upstream import Answer, Asked, CannedUpstream


@pytest.fixture
def home() -> Iterator[House]:
    """A house in which nothing is kept."""
    with house("off") as made:
        yield made


@pytest.mark.parametrize("model", ["one", "foreign"])
def test_nothing_is_kept_and_nothing_can_be_gone_on_from(home: House, model: str) -> None:
    """The answer says `store: false`; a later id gets a 400 that says why."""
    told = home.create(model, store=True)
    assert told.json["store"] is False
    assert code(home.visit(told.json["id"])) == (404, "unknown_response")
    later = home.create(model, previous_response_id=told.json["id"])
    assert code(later) == (400, "responses_store_off")
    assert "responses_store: off" in later.json["error"]["message"]


def test_a_route_may_say_so_for_itself() -> None:
    """On such a route, and only there."""
    with house() as home:
        assert home.create("unkept").json["store"] is False
        assert code(home.create("unkept", previous_response_id="resp_1")) == (400, "responses_store_off")
        assert home.create("mixed").json["store"] is True


def test_the_background_needs_what_is_kept(home: House) -> None:
    """An answer that could never be fetched is not begun."""
    assert code(home.create(background=True)) == (400, "responses_store_off")
    assert home.paths() == []


@pytest.mark.parametrize("sent", [{}, {"store": True}, {"store": None}, {"store": False}])
def test_the_vendor_is_told_not_to_store(sent: dict[str, Any]) -> None:
    """Whatever the client says; all else passes as it came."""

    def answer(asked: Asked) -> Answer:
        return Answer({"id": "resp_1", "object": "response", "status": "completed", "asked": asked.body})

    with CannedUpstream(answer) as upstream:
        config = (
            "version: 1\ndefaults: {responses_store: off}\n"
            f'providers: {{up: {{kind: openai, base_url: "{upstream.url}/v1", api_key: s}}}}\n'
            "keys: [{name: dev, secret: sk-dev, org: acme}]"
        )
        with GatewayThread(config) as gateway:
            home = House(gateway, None, upstream)  # pyright: ignore[reportArgumentType] - not asked here
            told = home.create("up/m", novel={"x": 1}, **sent)
            asked = told.json["asked"]
    assert asked == {"model": "m", "input": "Hello", "novel": {"x": 1}, "store": False}
