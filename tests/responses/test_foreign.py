"""A vendor without the Responses API: we keep the conversation, and write it out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.plain import send
from tests.responses.house import MESSAGE_STREAM, House, code, house, last_event


@pytest.fixture
def home() -> Iterator[House]:
    """Everything, with an empty store."""
    with house() as made:
        yield made


def test_a_chain_is_written_out(home: House) -> None:
    """The vendor gets the whole conversation and no id, turn after turn, whole and streamed."""
    first = home.made("foreign", instructions="Be brief.")
    home.canned.answer = MESSAGE_STREAM
    streamed = last_event(home.create("foreign", input="More", previous_response_id=first, stream=True))
    assert streamed["type"] == "response.completed"
    assert streamed["response"]["previous_response_id"] == first
    third = home.create(
        "foreign", input="Yet more", stream=True, previous_response_id=streamed["response"]["id"]
    )
    assert third.status == 200
    said = [message["content"] for message in home.canned.asked[-1].body["messages"]]
    assert said == ["Hello", "Good day.", "More", "Good day.", "Yet more"]
    assert "system" not in home.canned.asked[-1].body
    assert "store" not in home.canned.asked[-1].body


def test_it_is_fetched_listed_and_deleted_here(home: House) -> None:
    """The answer as it was given, its input page by page; nobody else is asked."""
    first = home.made("foreign")
    made = home.create("foreign", input="More", previous_response_id=first)
    name = made.json["id"]
    assert name == "resp_" + made.headers["x-penstock-request-id"].removeprefix("req_")
    assert home.visit(name).body == made.body
    page = home.visit(f"{name}/input_items?limit=2").json
    assert [item["content"][0]["text"] for item in page["data"]] == ["More", "Good day."]
    assert page["has_more"] is True
    rest = home.visit(f"{name}/input_items?limit=2&after={page['last_id']}").json
    assert [item["content"][0]["text"] for item in rest["data"]] == ["Hello"]
    oldest = home.visit(f"{name}/input_items?order=asc").json["data"][0]
    assert oldest == rest["data"][0]
    assert code(home.visit(f"{name}/input_items?limit=0")) == (400, "invalid_type")
    assert code(home.visit(f"{name}/input_items?after=msg_never")) == (400, "invalid_type")
    assert code(home.visit(f"{name}?stream=true")) == (400, "unsupported_parameter")
    assert code(home.visit(f"{name}/cancel", "POST")) == (400, "unsupported_endpoint")
    assert home.visit(name, "DELETE").json == {"id": name, "object": "response", "deleted": True}
    for gone in (home.visit(name), home.visit(name, "DELETE"), home.visit(f"{name}/input_items")):
        assert code(gone) == (404, "unknown_response")
    assert code(home.create("foreign", previous_response_id=name)) == (404, "unknown_response")
    assert home.visit(first).status == 200
    assert len(home.canned.asked) == 2


def test_another_organisation_has_no_such_id(home: House) -> None:
    """Neither to fetch nor to go on from; the vendor hears nothing."""
    name = home.made("foreign")
    for method in ("GET", "DELETE"):
        assert code(home.visit(name, method, "sk-rival")) == (404, "unknown_response")
    told = home.create("foreign", previous_response_id=name, key="sk-rival")
    assert code(told) == (404, "unknown_response")
    assert len(home.canned.asked) == 1
    assert home.visit(name, key="sk-colleague").status == 200


def test_what_we_keep_can_go_on_anywhere(home: House) -> None:
    """A vendor with the API gets the conversation as items, without our ids; from there on it keeps it."""
    name = home.made("foreign")
    told = home.create("one", input="More", previous_response_id=name)
    assert told.status == 200, told.body
    assert told.json["output"][0]["content"][0]["text"] == "More"
    (settled,) = home.gateway.exchanges(2)[1:]
    assert settled.attempts[0].usage.input_tokens > 12
    further = home.create("one", input="Further", previous_response_id=told.json["id"])
    assert further.json["previous_response_id"] == told.json["id"]


def test_store_false_keeps_nothing(home: House) -> None:
    """The answer says so, and its id is unknown."""
    told = home.create("foreign", store=False)
    assert told.json["store"] is False
    assert code(home.visit(told.json["id"])) == (404, "unknown_response")


def test_a_broken_answer_is_not_kept(home: House) -> None:
    """A stream that breaks off has an id that nobody knows."""
    whole = MESSAGE_STREAM.raw or b""
    home.canned.answer = type(MESSAGE_STREAM)(
        content_type="text/event-stream", raw=whole[: whole.index(b"event: message_delta")]
    )
    told = home.create("foreign", stream=True)
    assert last_event(told)["type"] == "response.failed"
    name = "resp_" + told.headers["x-penstock-request-id"].removeprefix("req_")
    assert name.encode() in told.body
    assert code(home.visit(name)) == (404, "unknown_response")


def test_counting_sees_the_whole_conversation(home: House) -> None:
    """The estimate grows by what went before; compacting is nothing that this vendor does."""
    name = home.made("foreign", input="word " * 200)
    url = home.gateway.url + "/v1/responses/"
    alone = send(url + "input_tokens", {"model": "foreign", "input": "x"}, "sk-dev")
    assert alone.json["object"] == "response.input_tokens"
    assert alone.headers["x-penstock-warning"] == "estimated=input_tokens"
    body = {"model": "foreign", "input": "x", "previous_response_id": name}
    more = send(url + "input_tokens", body, "sk-dev")
    assert more.json["input_tokens"] > 5 * alone.json["input_tokens"]
    assert code(send(url + "compact", body, "sk-dev")) == (400, "unsupported_endpoint")
