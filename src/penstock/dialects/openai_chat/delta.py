"""Events as members of a chunk's delta: filled again where it came in this shape, else made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from msgspec.structs import replace

from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    CitationAdded,
    Event,
    PartEnded,
    PartStarted,
    SignatureDelta,
    TextDelta,
)
from penstock.core.parts import Audio, Image, Inline, Part, Refused, Text, Thinking, ToolCall
from penstock.core.seals import into_id
from penstock.dialects.openai_chat.encode import THINKING
from penstock.shapes.openai_chat import SHAPE
from penstock.shapes.openai_chat.annotations import write_citation
from penstock.shapes.openai_chat.content import write_item
from penstock.shapes.openai_chat.forms import inserted, is_own
from penstock.shapes.openai_chat.sources import is_listed
from penstock.shapes.openai_chat.thinking import DETAILS, TEXT_OF

_ARGUMENTS = {"function": "arguments", "custom": "input"}


class Open:
    """What the stream has said of one choice."""

    __slots__ = ("begun", "calls", "lengths", "old", "parts", "said", "thinking")

    def __init__(self, *, old: bool) -> None:
        self.begun = False
        self.old = old
        self.parts: dict[int, Part] = {}
        self.calls: dict[int, int] = {}
        self.lengths: dict[int, int] = {}
        self.thinking: dict[int, Thinking] = {}
        self.said = ""  # all text, where chunks repeat it


class Chunk:
    """The choices of one chunk, from what its frame kept of them or made as they are needed."""

    __slots__ = ("choices", "made", "order")

    def __init__(self, skeletons: list[dict[str, Any]] | None) -> None:
        self.made = skeletons is None
        self.choices: dict[int, dict[str, Any]] = {}
        self.order: list[dict[str, Any]] = []
        for at, kept in enumerate(skeletons or ()):
            choice = dict(kept)
            if choice.get("delta").__class__ is dict:
                choice["delta"] = _copied(choice["delta"])
            index = choice.pop("~index") if "~index" in choice else choice.get("index", at)
            self.choices[index] = choice
            self.order.append(choice)

    def choice(self, index: int) -> dict[str, Any]:
        """A choice, new where the chunk had none of this index."""
        choice = self.choices.get(index)
        if choice is None:
            choice = self.choices[index] = {"index": index, "delta": {}, "finish_reason": None}
            self.order.append(choice)
        return choice

    def delta(self, index: int) -> dict[str, Any]:
        """The delta of a choice."""
        choice = self.choice(index)
        if choice.get("delta").__class__ is not dict:
            choice["delta"] = {}
        return cast("dict[str, Any]", choice["delta"])

    def written(self) -> list[dict[str, Any]]:
        """The choices, without our marks."""
        for choice in self.order:
            choice.pop("~finish", None)
            delta = choice.get("delta")
            if delta.__class__ is dict:
                _finish(choice, cast("dict[str, Any]", delta))
        return self.order


def _copied(delta: dict[str, Any]) -> dict[str, Any]:
    """A delta whose lists and objects may be filled."""
    out = dict(delta)
    for name in (DETAILS, "~content", "tool_calls"):
        items = out.get(name)
        if items.__class__ is list:
            out[name] = [_copied_item(item) for item in cast("list[Any]", items)]
    for name in ("audio", "function_call"):
        if out.get(name).__class__ is dict:
            out[name] = dict(out[name])
    return out


def _copied_item(item: Any) -> Any:
    if item.__class__ is not dict:
        return item
    out = dict(item)
    for place in _ARGUMENTS:
        if out.get(place).__class__ is dict:
            out[place] = dict(out[place])
    return out


def _finish(choice: dict[str, Any], delta: dict[str, Any]) -> None:
    delta.pop("~thinking", None)
    items = delta.pop("~content", None)
    if items is not None:
        delta["content"] = items
    unread = delta.pop("~annotations", None)
    if unread:
        delta["annotations"] = inserted(delta.get("annotations", []), unread)
    if choice.pop("~text", None):
        choice["text"] = delta.get("content", "")


def fill(event: Event, state: Open, delta: Callable[[], dict[str, Any]], *, own: bool) -> None:
    """Put what an event of a part says into the delta, which is asked for only where there is something."""
    if isinstance(event, PartStarted):
        _start(event, state, delta, own=own)
    elif isinstance(event, TextDelta):
        part = state.parts.get(event.index)
        if part is not None:
            _text(part, event, state, delta())
    elif isinstance(event, ArgumentsDelta):
        if event.index in state.calls:
            _arguments(event, state, delta(), own=own)
    elif isinstance(event, SignatureDelta):
        _seal(event, state, delta, own=own)
    elif isinstance(event, AudioDelta):
        audio = delta().setdefault("audio", {})
        audio["data"] = audio.get("data", "") + event.data
    elif isinstance(event, CitationAdded):
        _cite(event, state, delta, own=own)
    elif isinstance(event, PartEnded) and isinstance(event.part, Thinking) and event.index in state.thinking:
        state.thinking[event.index] = event.part


def _start(event: PartStarted, state: Open, delta: Callable[[], dict[str, Any]], *, own: bool) -> None:
    part = state.parts[event.index] = event.part
    state.calls.pop(event.index, None)
    if isinstance(part, ToolCall):
        _start_call(part, event.index, state, delta(), own=own)
    elif isinstance(part, Text | Thinking | Refused):
        if isinstance(part, Thinking):
            state.thinking[event.index] = part
        if part.text:
            _text(part, TextDelta(event.choice, event.index, part.text), state, delta())
        if isinstance(part, Text):
            for citation in part.citations:
                _cite(CitationAdded(event.choice, event.index, citation), state, delta, own=own)
    elif isinstance(part, Audio):
        _start_audio(part, delta())
    elif isinstance(part, Image):
        into = delta()
        into["images"] = [*into.get("images", ()), write_item(part, SHAPE)]


def _start_audio(part: Audio, delta: dict[str, Any]) -> None:
    audio = delta.setdefault("audio", {})
    if part.id:
        audio["id"] = part.id
    if isinstance(part.source, Inline):
        audio["data"] = part.source.data
    if part.transcript:
        audio["transcript"] = part.transcript


def _kept(delta: dict[str, Any], name: str, at: int) -> dict[str, Any] | None:
    """An item of a list that the chunk came with; None where it has none (two choices of one index)."""
    items = cast("list[Any]", delta[name]) if isinstance(delta.get(name), list) else []
    item = items[at] if at < len(items) else None
    return cast("dict[str, Any]", item) if isinstance(item, dict) else None


def _start_call(part: ToolCall, index: int, state: Open, delta: dict[str, Any], *, own: bool) -> None:
    at = state.calls[index] = len(state.calls)
    marks = part.extras.fields if is_own(part.extras, SHAPE) and part.extras is not None else {}
    if "~old" in marks or (not own and state.old):
        call = delta.setdefault("function_call", {})
        call["name"] = part.name
        call["arguments"] = part.arguments
        if own and not part.arguments:
            del call["arguments"]
        return
    kept = _kept(delta, "tool_calls", marks.get("~at", 0)) if own and "~put" in marks else None
    if kept is not None:
        item = kept
        if "id" in marks["~put"]:
            item["id"] = part.id
        inner = item.setdefault(part.type, {})
        inner["name"] = part.name
        if part.arguments:
            inner[_ARGUMENTS[part.type]] = part.arguments
        return
    thinking = tuple([state.thinking[each] for each in sorted(state.thinking)])
    state.thinking.clear()
    made: dict[str, Any] = {"index": at, "id": into_id(part.id, thinking, part.signature), "type": part.type}
    made[part.type] = {"name": part.name, _ARGUMENTS[part.type]: part.arguments}
    delta["tool_calls"] = [*_calls(delta), made]


def _calls(delta: dict[str, Any]) -> list[Any]:
    """The calls of a chunk so far; a vendor's value that is no list gives way."""
    calls: Any = delta.get("tool_calls")
    return cast("list[Any]", calls) if calls.__class__ is list else []


def _text(part: Part, event: TextDelta, state: Open, delta: dict[str, Any]) -> None:
    text = event.text
    marks = event.extras.fields if event.extras is not None and event.extras.shape == SHAPE else {}
    if isinstance(part, Text):
        state.lengths[event.index] = state.lengths.get(event.index, 0) + len(text)
        item = _kept(delta, "~content", marks["~item"]) if "~item" in marks else None
        if item is not None:
            _append(item, "text", text)
            return
        _append(delta, "content", text)
    elif isinstance(part, Thinking):
        if event.index in state.thinking:
            known = state.thinking[event.index]
            state.thinking[event.index] = replace(known, text=known.text + text)
        _thought(text, marks, delta)
    elif isinstance(part, Refused):
        _append(delta, "refusal", text)
    elif isinstance(part, Audio):
        _append(delta.setdefault("audio", {}), "transcript", text)


def _append(holder: dict[str, Any], name: str, text: str) -> None:
    """Add to what a chunk says so far; a vendor's value that is no text gives way."""
    said = holder.get(name)
    holder[name] = said + text if isinstance(said, str) else text


def _thought(text: str, marks: dict[str, Any], delta: dict[str, Any]) -> None:
    within = _kept(delta, "~content", marks["~item"]) if "~item" in marks else None
    if within is not None:
        if "~kept" not in marks:
            within["thinking"] = [{"type": "text", "text": text}]
        return
    item = _kept(delta, DETAILS, marks["~at"]) if "~at" in marks else None
    if item is not None:
        member = TEXT_OF.get(str(item.get("type")), "text")
        _append(item, member, text)
        names = delta.get("~thinking", ())
    else:
        names = delta.get("~thinking") or (THINKING,)
    for name in names:
        _append(delta, name, text)


def _arguments(event: ArgumentsDelta, state: Open, delta: dict[str, Any], *, own: bool) -> None:
    part = cast("ToolCall", state.parts[event.index])
    if (own and "tool_calls" not in delta and "function_call" in delta) or (state.old and not own):
        call = delta.setdefault("function_call", {})
        _append(call, "arguments", event.text)
        return
    member = _ARGUMENTS[part.type]
    marks = event.extras.fields if is_own(event.extras, SHAPE) and event.extras is not None else {}
    item = _kept(delta, "tool_calls", marks.get("~at", 0)) if own else None
    if item is None:
        at = state.calls[event.index]
        items = delta["tool_calls"] = _calls(delta)
        item = next((each for each in items if each.__class__ is dict and each.get("index") == at), None)
        if item is None:
            new: dict[str, Any] = {"index": at}
            items.append(new)
            item = new
    given: Any = item.get(part.type)
    inner: dict[str, Any] = given if given.__class__ is dict else {}
    item[part.type] = inner
    _append(inner, member, event.text)


def _seal(event: SignatureDelta, state: Open, delta: Callable[[], dict[str, Any]], *, own: bool) -> None:
    known = state.thinking.get(event.index)
    if known is not None:
        old = known.sealed if event.sealed else known.signature
        whole = replace(event.signature, value=(old.value if old is not None else "") + event.signature.value)
        state.thinking[event.index] = (
            replace(known, sealed=whole) if event.sealed else replace(known, signature=whole)
        )
    if own and is_own(event.extras, SHAPE) and event.extras is not None:
        item = _kept(delta(), DETAILS, event.extras.fields.get("~at", 0))
        if item is not None:
            item["data" if event.sealed else "signature"] = event.signature.value


def _cite(event: CitationAdded, state: Open, delta: Callable[[], dict[str, Any]], *, own: bool) -> None:
    citation = event.citation
    if is_listed(citation, SHAPE) or not (own or citation.url):
        return
    items = delta().setdefault("annotations", [])
    items.append(write_citation(citation, SHAPE, 0, state.lengths.get(event.index, 0), own=own))
