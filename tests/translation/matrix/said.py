"""What a reply says to whoever reads it, in a form in which replies of different APIs can be compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from penstock.core.chat import ChatReply, Choice
from penstock.core.parts import Audio, Refused, Text, ToolCall
from penstock.core.usage import Usage
from tests.translation.matrix.table import Cells

USAGE = tuple([name for name in Usage.__struct_fields__ if name.endswith("_tokens")])


@dataclass
class Said:
    """One answer: its words, refusals apart, its calls, and why it ended."""

    words: str
    refused: str
    calls: list[tuple[str, Any]]
    finish: str


def arguments_of(call: ToolCall) -> Any:
    """A call's arguments as a JSON value; free text as an object, as it is told where there is no free text."""
    if call.type == "custom":
        return {"input": call.arguments}
    try:
        return json.loads(call.arguments or "{}")
    except ValueError:
        return call.arguments


def said(choice: Choice, *, spoken: bool = True) -> Said:
    """What one answer says; with `spoken`, the words of audio count."""
    words = [
        part.text if isinstance(part, Text | Refused) else part.transcript
        for part in choice.parts
        if isinstance(part, Text | Refused) or (spoken and isinstance(part, Audio))
    ]
    refused = [part.text for part in choice.parts if isinstance(part, Refused)]
    calls = [(part.name, arguments_of(part)) for part in choice.parts if isinstance(part, ToolCall)]
    finish = choice.finish or "stop"
    if calls and finish == "stop":  # some vendors say so, and most APIs cannot
        finish = "tool_calls"
    return Said("".join(words), "".join(refused), calls, finish)


def reply_difference(source: ChatReply, back: ChatReply, cells: Cells) -> str:
    """Where a reply differs from what it was, apart from what the loss table says of the dialect."""
    spoken = cells["audio.transcript"] != "lost"
    before = [said(each, spoken=spoken) for each in source.choices]
    after = [said(each, spoken=spoken) for each in back.choices]
    if cells["choices"] == "lost":
        before = before[:1]
    if len(before) != len(after):
        return f"{len(before)} answers, {len(after)} answers"
    for one, two in zip(before, after, strict=True):
        if found := _answer_difference(one, two, cells):
            return found
    return _usage_difference(source, back, cells)


def _answer_difference(one: Said, two: Said, cells: Cells) -> str:
    if one.words != two.words:
        return f"words: {one.words[:60]!r} became {two.words[:60]!r}"
    if cells["refusal"] == "kept" and one.refused != two.refused:
        return f"refusal: {one.refused[:60]!r} became {two.refused[:60]!r}"
    if cells["tool_call"] != "lost" and one.calls != two.calls:
        return f"calls: {str(one.calls)[:80]} became {str(two.calls)[:80]}"
    reason = "refusal_in_words" if one.refused and one.finish == "refusal" else one.finish
    cell = cells[f"finish.{reason}"].partition(" (")[0]
    wanted = cell.partition(": ")[2] or one.finish
    if two.calls and wanted == "stop":
        wanted = "tool_calls"
    if two.finish != wanted:
        return f"finish: {one.finish} became {two.finish}, not {wanted}"
    return ""


def _usage_difference(source: ChatReply, back: ChatReply, cells: Cells) -> str:
    if source.usage is None:
        return ""
    one = source.usage.counts
    two = back.usage.counts if back.usage is not None else Usage()
    # What was read from the cache and written to it in one reply is one part where an API's parts are apart.
    both = one.cache_read_tokens + one.cache_write_tokens > one.input_tokens
    for name in USAGE:
        if (both and name == "cache_write_tokens") or cells[f"usage.{name.removesuffix('_tokens')}"] == "lost":
            continue
        if getattr(one, name) != getattr(two, name):
            return f"{name}: {getattr(one, name)} became {getattr(two, name)}"
    return ""
