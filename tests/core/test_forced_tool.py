"""Structured output by a forced tool: asked for as a tool's call, answered as text."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from penstock.core.assemble import assemble, tell
from penstock.core.chat import ChatReply, ChatRequest, Choice, FunctionTool, OutputFormat, ToolChoice
from penstock.core.events import ArgumentsDelta, ChoiceFinished, Event, Frame, PartEnded, PartStarted, TextDelta
from penstock.core.forced_tool import Releasing, force, released, tool_name
from penstock.core.parts import Extras, Text, Thinking, ToolCall

_SCHEMA: dict[str, Any] = {"type": "object", "properties": {"n": {"type": "integer"}}}
_REQUEST = ChatRequest(model="m", output=OutputFormat("schema", _SCHEMA, "my answer"))
_LIST = replace(
    _REQUEST,
    output=OutputFormat("schema", {"type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {}}}),
)
_OWN = FunctionTool("look")


def _reply(*parts: Any, finish: Any = "tool_calls") -> ChatReply:
    return ChatReply(id="r", model="m", choices=(Choice(0, parts, finish, "tool_use"),))


def test_the_tool_has_the_schema_and_must_be_called() -> None:
    """It is named after the schema, and nothing else of the request changes."""
    forced = force(_REQUEST)
    (tool,) = forced.tools
    assert isinstance(tool, FunctionTool)
    assert (tool.name, tool.parameters) == ("my_answer", _SCHEMA)
    assert forced.tool_choice == ToolChoice("named", "my_answer")
    assert replace(forced, tools=(), tool_choice=None, output=_REQUEST.output) == _REQUEST


def test_requests_without_a_schema_are_left_alone() -> None:
    """Text, any JSON, or nothing said: there is nothing to force."""
    for output in (None, OutputFormat("text"), OutputFormat("json")):
        request = ChatRequest(model="m", output=output)
        assert force(request) is request
        reply = _reply(ToolCall("a", "answer", "{}"))
        assert released(reply, request) is reply
        frame = Frame("", (PartStarted(0, 0, ToolCall("a", "answer")),))
        assert Releasing(request).frame(frame) is frame


@pytest.mark.parametrize(
    ("choice", "expected", "names"),
    [
        (None, ToolChoice("required"), ["look", "my_answer"]),
        (ToolChoice("auto"), ToolChoice("required"), ["look", "my_answer"]),
        (ToolChoice("none"), ToolChoice("named", "my_answer"), ["my_answer"]),
        (ToolChoice("named", "look"), ToolChoice("named", "look"), ["look", "my_answer"]),
    ],
)
def test_the_callers_own_tools_stay_callable(
    choice: ToolChoice | None, expected: ToolChoice, names: list[str]
) -> None:
    """One of them or the answer must be called; a tool that the caller insists on stays the one."""
    forced = force(replace(_REQUEST, tools=(_OWN,), tool_choice=choice))
    assert forced.tool_choice == expected
    assert [tool.name for tool in forced.tools if isinstance(tool, FunctionTool)] == names


def test_the_tools_name_is_free_and_valid() -> None:
    """A tool of the caller's with that name is not hidden; odd names are made plain."""
    assert tool_name(replace(_REQUEST, tools=(FunctionTool("my_answer"),))) == "my_answer_"
    assert tool_name(replace(_REQUEST, output=OutputFormat("schema", {}, "é!"))) == "answer"
    assert len(tool_name(replace(_REQUEST, output=OutputFormat("schema", {}, "x" * 99)))) == 48


def test_the_call_becomes_the_text() -> None:
    """Thinking stays, the arguments are the answer, and the answer is done."""
    reply = released(_reply(Thinking("hm"), ToolCall("a", "my_answer", '{"n":1}')), _REQUEST)
    assert reply.choices == (Choice(0, (Thinking("hm"), Text('{"n":1}')), "stop"),)
    assert released(_reply(ToolCall("a", "my_answer")), _REQUEST).choices[0].parts == (Text("{}"),)


def test_other_calls_still_wait_for_their_tools() -> None:
    """Where the caller's own tool is called, the finish says so, and that reply is untouched."""
    request = replace(_REQUEST, tools=(_OWN,))
    reply = _reply(ToolCall("a", "look", "{}"))
    assert released(reply, request) is reply
    both = released(_reply(ToolCall("a", "look", "{}"), ToolCall("b", "my_answer", "{}")), request)
    assert both.choices[0].finish == "tool_calls"
    assert both.choices[0].parts == (ToolCall("a", "look", "{}"), Text("{}"))


def test_an_answer_cut_short_stays_cut_short() -> None:
    """The finish `length` is not hidden."""
    (choice,) = released(_reply(ToolCall("a", "my_answer", '{"n":'), finish="length"), _REQUEST).choices
    assert (choice.finish, choice.parts) == ("length", (Text('{"n":'),))


def test_values_that_are_no_objects_stand_in_one() -> None:
    """A list is asked for as a member, its references still resolve, and it is taken out again."""
    (tool,) = force(_LIST).tools
    assert isinstance(tool, FunctionTool)
    assert tool.parameters == {
        "type": "object",
        "properties": {"value": {"type": "array", "items": {"$ref": "#/$defs/n"}}},
        "required": ["value"],
        "$defs": {"n": {}},
    }
    for arguments, text in [
        ('{"value": [1, 2]}', "[1, 2]"),
        ('{"other": 1}', '{"other": 1}'),
        ('{"val', '{"val'),
    ]:
        (choice,) = released(_reply(ToolCall("a", "answer", arguments)), _LIST).choices
        assert choice.parts == (Text(text),)


@pytest.mark.parametrize("request_", [_REQUEST, _LIST, replace(_REQUEST, tools=(_OWN,))])
@pytest.mark.parametrize("arguments", ['{"n":1}', '{"value":[1]}', ""])
def test_a_stream_tells_what_the_reply_tells(request_: ChatRequest, arguments: str) -> None:
    """The fold of the released frames is the released reply, one event a frame or all in one."""
    parts = (Thinking("hm"), ToolCall("a", "look", "{}"), ToolCall("b", tool_name(request_), arguments))
    reply = _reply(*(part for part in parts if request_.tools or part != parts[1]))
    expected = released(reply, request_)
    events = tuple(tell(reply))
    for frames in ([Frame("", (event,)) for event in events], [Frame("", events)]):
        releasing = Releasing(request_)
        told = assemble([event for frame in frames for event in releasing.frame(frame).events])
        assert told.choices[0].parts == expected.choices[0].parts
        assert told.choices[0].finish == expected.choices[0].finish


def test_arguments_stream_as_text() -> None:
    """Each piece goes on at once, and frames that change are no longer the vendor's wire events."""
    releasing = Releasing(_REQUEST)
    extras = Extras("anthropic", {"type": "x"})
    frames: list[tuple[Event, ...]] = [
        (PartStarted(0, 0, ToolCall("a", "my_answer")),),
        (ArgumentsDelta(0, 0, '{"n"'),),
        (ArgumentsDelta(0, 0, ":1}"),),
        (PartEnded(0, 0, ToolCall("a", "my_answer", '{"n":1}')),),
        (ChoiceFinished(0, "tool_calls", "tool_use"),),
    ]
    told = [releasing.frame(Frame("x", events, extras)) for events in frames]
    assert told == [
        Frame("", (PartStarted(0, 0, Text("")),)),
        Frame("", (TextDelta(0, 0, '{"n"'),)),
        Frame("", (TextDelta(0, 0, ":1}"),)),
        Frame("", (PartEnded(0, 0, Text('{"n":1}')),)),
        Frame("", (ChoiceFinished(0, "stop"),)),
    ]
    text = Frame("x", (TextDelta(0, 1, "a"),), extras)
    assert releasing.frame(text) is text
