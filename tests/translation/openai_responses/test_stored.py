"""Kept responses: their input items, and conversations that go on from them."""

from typing import Any

import pytest

from penstock.core.errors import ShapeError
from penstock.dialects.openai_responses.stored import input_items, item_page, joined


def test_input_items_have_types_ids_and_content_parts() -> None:
    """A string is a user's message; short forms are written out; ids are kept or made, the same each time."""
    (only,) = input_items({"input": "Hi"}, "resp_1")
    assert only.pop("id").startswith("msg_")
    text = {"type": "input_text", "text": "Hi"}
    assert only == {"type": "message", "role": "user", "status": "completed", "content": [text]}
    body: dict[str, Any] = {
        "input": [
            {"role": "assistant", "content": "Yes?"},
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "1"},
        ]
    }
    items = input_items(body, "resp_1")
    assert items[0]["content"] == [{"type": "output_text", "text": "Yes?", "annotations": []}]
    assert [item["id"].split("_")[0] for item in items] == ["msg", "fc", "fco"]
    assert items == input_items(body, "resp_1")
    assert items != input_items(body, "resp_2")
    assert input_items({}, "resp_1") == []
    with pytest.raises(ShapeError, match=r"input\[0\]"):
        input_items({"input": [1]}, "resp_1")


_TEN = [{"id": f"i{at}"} for at in range(10)]


@pytest.mark.parametrize(
    ("asked", "ids", "more"),
    [
        ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], False),
        ({"order": "asc", "limit": 3}, [0, 1, 2], True),
        ({"order": "asc", "limit": 3, "after": "i7"}, [8, 9], False),
        ({"limit": 2, "after": "i5"}, [4, 3], True),
        ({"order": "asc", "limit": 2, "before": "i5"}, [3, 4], True),
        ({"order": "asc", "before": "i2"}, [0, 1], False),
        ({"order": "asc", "after": "i1", "before": "i4", "limit": 5}, [2, 3], False),
        ({"after": "i0"}, [], False),
    ],
)
def test_pages_follow_cursors(asked: dict[str, Any], ids: list[int], more: bool) -> None:
    """Newest first unless asked otherwise, after or before an item, and whether there is more."""
    page = item_page(_TEN, **asked)
    names = [f"i{at}" for at in ids]
    assert [item["id"] for item in page["data"]] == names
    assert (page["first_id"], page["last_id"]) == ((names[0], names[-1]) if names else (None, None))
    assert (page["object"], page["has_more"]) == ("list", more)


@pytest.mark.parametrize("asked", [{"after": "x"}, {"before": "x"}, {"limit": 0}, {"limit": 101}])
def test_a_wrong_page_is_refused(asked: dict[str, Any]) -> None:
    """An unknown cursor and an odd limit are the client's mistake."""
    with pytest.raises(ShapeError):
        item_page(_TEN, **asked)


def test_a_conversation_goes_on_from_a_kept_response() -> None:
    """Earlier input and output, then the new input; only new settings hold; references are resolved."""
    answer: dict[str, Any] = {"type": "message", "id": "msg_9", "role": "assistant", "content": []}
    reply: dict[str, Any] = {"id": "resp_1", "output": [answer]}
    earlier = {"model": "m", "instructions": "Old.", "input": "One", "temperature": 0}
    new = {
        "model": "n",
        "previous_response_id": "resp_1",
        "input": [
            {"type": "item_reference", "id": "msg_9"},
            {"role": "user", "content": "Two"},
            {"id": "gone"},
        ],
    }
    body = joined(earlier, reply, new)
    assert {name: value for name, value in body.items() if name != "input"} == {"model": "n"}
    assert body["input"][0]["content"] == [{"type": "input_text", "text": "One"}]
    assert body["input"][1:] == [answer, answer, {"role": "user", "content": "Two"}, {"id": "gone"}]
    third = joined(body, {"id": "resp_2", "output": []}, {"model": "n", "input": "Three"})
    assert len(third["input"]) == 6
    assert third["input"][-1] == {"type": "message", "role": "user", "content": "Three"}
