"""Conversations are brought to the form that a vendor wants."""

import pytest

from penstock.core.chat import Message
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.parts import Text, ToolCall, ToolResult
from penstock.core.turns import made_id, merged, split_system, text_of, tool_names, tools_apart

_A, _B = Text("a"), Text("b")


def test_neighbours_of_one_role_are_joined() -> None:
    """Vendors that want roles in turn get one message where the client sent two."""
    messages = (Message("user", (_A,)), Message("tool", (ToolResult("1"),)), Message("assistant", (_B,)))
    assert merged(messages, tool_as_user=True) == (
        Message("user", (_A, ToolResult("1"))),
        Message("assistant", (_B,)),
    )
    assert len(merged(messages, tool_as_user=False)) == 3


def test_system_messages_are_found_wherever_they_stand() -> None:
    """A system message in the middle is one, too, and a developer's counts as one."""
    messages = (Message("user"), Message("system", (_A,)), Message("developer", (_B,)))
    system, rest = split_system(messages)
    assert [text_of(message.parts) for message in system] == ["a", "b"]
    assert rest == (Message("user"),)


def test_tool_results_are_set_apart_before_the_text_of_their_message() -> None:
    """A user turn with results and text becomes tool messages and a user message, in that order."""
    (mixed,) = (Message("user", (_A, ToolResult("1"), ToolResult("2"))),)
    assert tools_apart((mixed,)) == (
        Message("tool", (ToolResult("1"),)),
        Message("tool", (ToolResult("2"),)),
        Message("user", (_A,)),
    )


def test_a_result_finds_the_name_of_its_call() -> None:
    """Shapes whose results name the function learn it from the call."""
    assert tool_names((Message("assistant", (ToolCall("1", "f"),)),)) == {"1": "f"}


def test_made_ids_depend_on_their_seed_alone() -> None:
    """The same turn gives the same ids, so that caches and snapshots hold."""
    assert made_id("call_", 1, "f") == made_id("call_", 1, "f") != made_id("call_", 2, "f")


def test_losses_are_told_once_or_refused() -> None:
    """What is dropped is named once in the warning; with `error` it is refused by name."""
    losses = Losses("drop")
    losses.drop("top_k")
    losses.drop("top_k")
    assert not losses.map("schema")
    assert losses.warning() == "dropped=top_k,schema"
    gentle = Losses()
    assert gentle.map("schema")
    assert gentle.warning() == "mapped=schema"
    with pytest.raises(UnsupportedError, match="seed"):
        Losses("error").drop("seed")
