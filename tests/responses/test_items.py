"""Items and containers that an answer handed out: their organisation may name them, nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.responses.house import MESSAGE_STREAM, House, code, house, last_event
from tests.translation.upstream import Answer, sse


@pytest.fixture
def home() -> Iterator[House]:
    """Everything, with an empty store."""
    with house() as made:
        yield made


def reference(item: str) -> dict[str, Any]:
    """An item by its id."""
    return {"type": "item_reference", "id": item}


RESPONSE: dict[str, Any] = {
    "id": "resp_9",
    "object": "response",
    "created_at": 1,
    "model": "plain",
    "status": "completed",
    "output": [
        {"id": "rs_9", "type": "reasoning", "summary": []},
        {
            "id": "ci_9",
            "type": "code_interpreter_call",
            "status": "completed",
            "code": "1",
            "container_id": "cntr_9",
            "outputs": None,
        },
    ],
    "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
}


def test_what_an_answer_hands_out_passes_as_it_came(home: House) -> None:
    """References, reasoning without a seal, and containers in an item or a tool, natively."""
    home.canned.answer = Answer(RESPONSE)
    home.made("four")
    output: list[dict[str, Any]] = RESPONSE["output"]
    tool = {"type": "code_interpreter", "container": "cntr_9"}
    for items in (after(reference("ci_9")), after(*output)):
        told = home.create("four", input=items, tools=[tool], store=False)
        assert told.status == 200, told.body
        assert home.canned.asked[-1].body["input"] == items
        assert home.canned.asked[-1].body["tools"] == [tool]
    count = len(home.canned.asked)
    rival = home.create("four", input="x", tools=[tool], key="sk-rival")
    assert code(rival) == (404, "unknown_id")
    assert rival.json["error"]["message"].startswith("tools[0].container: no container 'cntr_9' is known")
    assert len(home.canned.asked) == count


def after(*items: dict[str, Any]) -> list[dict[str, Any]]:
    """Input that goes on from items."""
    return [{"role": "user", "content": "First"}, *items, {"role": "user", "content": "More"}]


@pytest.mark.parametrize("stream", [False, True])
def test_an_item_that_a_vendor_keeps_is_named_to_that_vendor(home: House, *, stream: bool) -> None:
    """The reference passes as it is, to whoever issued it, whatever the route would choose."""
    made = home.create("two", stream=stream)
    response = last_event(made)["response"] if stream else made.json
    item = response["output"][0]["id"]
    for key in ("sk-dev", "sk-colleague"):
        told = home.create("mixed", input=after(reference(item)), key=key)
        assert (told.status, told.headers["x-penstock-target"]) == (200, "two"), told.body
    asked = home.paths()
    assert code(home.create("two", input=after(reference(item)), key="sk-rival")) == (404, "unknown_id")
    assert code(home.create("one", input=after(reference(item)))) == (400, "response_elsewhere")
    assert code(home.create("foreign", input=after(reference(item)))) == (400, "response_elsewhere")
    assert home.paths() == asked


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_never"},
        {"type": None, "id": "msg_never"},
        {"id": "msg_never"},
        {"type": "item_reference", "id": "no id/../at all"},
        {"type": "reasoning", "id": "rs_never", "summary": []},
        {"type": "reasoning", "id": "rs_never", "summary": [], "encrypted_content": None},
        {"type": "image_generation_call", "id": "ig_never"},
        {
            "type": "code_interpreter_call",
            "id": "ci_1",
            "code": "1",
            "container_id": "cntr_never",
            "outputs": [],
        },
    ],
)
def test_a_name_that_nobody_has_goes_nowhere(home: House, item: dict[str, Any]) -> None:
    """Whatever a vendor would look up by id is a 404 that says where it stands, natively and translated."""
    for model in ("one", "foreign"):
        told = home.create(model, input=after(item))
        assert code(told) == (404, "unknown_id"), told.body
    assert not home.paths()
    assert not home.canned.asked


def test_the_same_words_for_a_strangers_item_and_for_none(home: House) -> None:
    """A 404 does not tell whether an id exists."""
    item = home.create("one").json["output"][0]["id"]
    theirs = home.create("one", input=after(reference(item)), key="sk-rival")
    never = home.create("one", input=after(reference("msg_never")), key="sk-rival")
    assert theirs.json["error"]["message"] == never.json["error"]["message"].replace("msg_never", item)


@pytest.mark.parametrize("stream", [False, True])
def test_an_item_that_we_keep_is_written_out(home: House, *, stream: bool) -> None:
    """A vendor without the API, and one with it, get the item itself; its owner alone may name it."""
    home.canned.answer = MESSAGE_STREAM if stream else home.canned.answer
    made = home.create("foreign", stream=stream)
    response = last_event(made)["response"] if stream else made.json
    item = response["output"][0]["id"]
    told = home.create("foreign", input=after(reference(item)), stream=stream)
    assert told.status == 200, told.body
    said = [message["content"] for message in home.canned.asked[-1].body["messages"]]
    assert said == ["First", "Good day.", "More"]
    home.canned.answer = Answer(RESPONSE)
    native = home.create("four", input=after(reference(item)))
    assert native.status == 200, native.body
    sent = home.canned.asked[-1].body["input"]
    assert [each.get("role") for each in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"][0]["text"] == "Good day."
    assert "penstock" not in str(sent)
    rival = home.create("foreign", input=after(reference(item)), key="sk-rival")
    assert code(rival) == (404, "unknown_id")


def test_items_and_an_earlier_response_together(home: House) -> None:
    """What we keep of an earlier answer is written out once, wherever it is referred to."""
    first = home.create("foreign").json
    item = first["output"][0]["id"]
    told = home.create("foreign", input=after(reference(item)), previous_response_id=first["id"])
    assert told.status == 200, told.body
    assert told.json["previous_response_id"] == first["id"]
    said = str(home.canned.asked[-1].body["messages"])
    assert said.index("Hello") < said.index("Good day.") < said.index("More")


def test_an_item_goes_with_its_response(home: House) -> None:
    """After the response is deleted there is nothing to refer to; nor is an item itself a response."""
    made = home.create("foreign").json
    item = made["output"][0]["id"]
    assert code(home.visit(item)) == (404, "unknown_response")
    assert code(home.create("foreign", previous_response_id=item)) == (404, "unknown_response")
    assert code(home.create("foreign", input=after(reference(made["id"])))) == (404, "unknown_id")
    home.visit(made["id"], "DELETE")
    assert code(home.create("foreign", input=after(reference(item)))) == (404, "unknown_id")


def test_nothing_is_on_record_where_nothing_is_kept(home: House) -> None:
    """With `store: false`, and on a route that keeps nothing, an item's id is unknown afterwards."""
    asked: list[tuple[str, dict[str, Any]]] = [("one", {"store": False}), ("unkept", {})]
    for model, fields in asked:
        item = home.create(model, **fields).json["output"][0]["id"]
        assert code(home.create("one", input=after(reference(item)))) == (404, "unknown_id")


def test_a_conversation_that_is_sent_whole_names_nothing(home: House) -> None:
    """Items with their content pass, ids and all; so does reasoning with its seal, or of our own making."""
    made = home.create("foreign").json
    items: list[dict[str, Any]] = [
        made["output"][0],
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"},
        {"type": "reasoning", "id": "r2", "summary": [], "content": [{"type": "reasoning_text", "text": "…"}]},
        {"type": "reasoning", "id": "rs_penstock123", "summary": [{"type": "summary_text", "text": "…"}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": '{"file_id": "x"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
    ]
    tools: list[Any] = [{"type": "function", "name": "f", "parameters": {}}]
    told = home.create("one", input=after(*items), tools=tools)
    assert told.status == 200, told.body


CONTAINER = {"id": "container_1", "expires_at": "2026-05-01T00:00:00Z"}
CODE = {"type": "code_execution_20250825", "name": "code_execution"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_container_of_anthropics_goes_on_with_its_owner(home: House, *, stream: bool) -> None:
    """The id that a message named may be named again by the same organisation alone."""
    message: dict[str, Any] = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Done."}], "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    home.canned.answer = Answer(message | {"container": CONTAINER})
    if stream:
        home.canned.answer = sse(
            {"type": "message_start", "message": message | {"content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Done."}},
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "container": CONTAINER},
                "usage": {"output_tokens": 1},
            },
            {"type": "message_stop"},
            names=True,
        )
    ask = {"max_tokens": 9, "messages": [{"role": "user", "content": "Run it"}], "tools": [CODE]}

    def send_it(key: str = "sk-dev", **fields: Any) -> tuple[int, bytes]:
        told = home.message({"model": "three", "stream": stream, **ask, **fields}, key)
        return told.status, told.body

    assert send_it(container="container_1")[0] == 404
    assert not home.canned.asked
    assert send_it()[0] == 200
    names: list[Any] = ["container_1", {"id": "container_1", "skills": []}]
    for named in names:
        assert send_it(container=named)[0] == 200
        assert home.canned.asked[-1].body["container"] == named
    count = len(home.canned.asked)
    status, body = send_it("sk-rival", container="container_1")
    assert status == 404
    assert b'"not_found_error"' in body
    assert len(home.canned.asked) == count
