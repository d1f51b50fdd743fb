"""One choice's `delta`: what of it is new, as events; what is left stays in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

from penstock.core.events import (
    ArgumentsDelta,
    AudioDelta,
    CitationAdded,
    Event,
    PartStarted,
    SignatureDelta,
    TextDelta,
)
from penstock.core.parts import Audio, Extras, Image, Part, Refused, Signature, Text, Thinking, ToolCall
from penstock.core.turns import made_id
from penstock.shapes.openai_chat.annotations import read_annotations
from penstock.shapes.openai_chat.calls import old_id
from penstock.shapes.openai_chat.content import read_item, thought
from penstock.shapes.openai_chat.thinking import DETAILS, TEXT_FIELDS, TEXT_OF, signer_of
from penstock.shapes.taker import Taker

Kind = Literal["", "text", "thinking", "refusal", "audio", "call", "image"]
_TEXT_OR_NONE = (str, type(None))
_NEW: dict[str, Callable[[], Part]] = {
    "text": lambda: Text(""),
    "thinking": Thinking,
    "refusal": lambda: Refused(""),
    "audio": lambda: Audio(None),
}


class Answer:
    """What is open of one choice: the part that grows, and the tool calls by their wire index."""

    __slots__ = (
        "at",
        "calls",
        "choice",
        "detail",
        "kind",
        "last",
        "next",
        "refused",
        "said",
        "seed",
        "text_at",
        "texts",
        "top",
        "waiting",
    )

    def __init__(self, choice: int, seed: str) -> None:
        self.choice = choice
        self.seed = seed
        self.kind: Kind = ""
        self.at = 0
        self.next = 0
        self.detail: Any = None
        self.calls: dict[int, tuple[int, str]] = {}
        self.waiting: dict[int, str] = {}
        self.last = -1
        self.texts: set[int] = set()
        self.text_at = -1
        self.top = -1
        self.said = ""
        self.refused = False

    def open(self, kind: Kind, events: list[Event], part: Part | None = None) -> int:
        """The index of the open part of this kind, which is started where another kind was open."""
        if kind == self.kind and part is None:
            return self.at
        self.kind = kind
        self.at = self.next
        self.next += 1
        if kind == "text":
            self.texts.add(self.at)
            self.text_at = self.at
        events.append(PartStarted(self.choice, self.at, part if part is not None else _NEW[kind]()))
        return self.at


def read_delta(delta: dict[str, Any], answer: Answer, events: list[Event], shape: str) -> None:
    """The events of a delta."""
    if delta.get(DETAILS):
        _read_details(delta, answer, events, shape)
    elif delta.get("reasoning_content") or delta.get("reasoning"):
        _read_reasoning(delta, answer, events)
    content = delta.get("content")
    if content:
        if content.__class__ is str:
            del delta["content"]
            events.append(TextDelta(answer.choice, answer.open("text", events), cast("str", content)))
        elif content.__class__ is list:
            _read_list(delta, answer, events, shape)
    for name, reader in _READERS:
        if delta.get(name):
            reader(delta, answer, events, shape)


def _read_reasoning(delta: dict[str, Any], answer: Answer, events: list[Event]) -> None:
    names = [name for name in TEXT_FIELDS if delta.get(name).__class__ is str and delta[name]]
    if not names:
        return
    text = delta.pop(names[0])
    delta["~thinking"] = names[:1]
    if len(names) > 1 and delta[names[1]] == text:
        del delta[names[1]]
        delta["~thinking"] = names
    events.append(TextDelta(answer.choice, answer.open("thinking", events), text))


def _read_details(delta: dict[str, Any], answer: Answer, events: list[Event], shape: str) -> None:
    """Typed details: each item is filled again by the event or events that say `~at`."""
    items = delta[DETAILS]
    if items.__class__ is not list or not all(item.__class__ is dict for item in items):
        _read_reasoning(delta, answer, events)
        return
    told = len(events)
    text = ""
    for at, item in enumerate(cast("list[dict[str, Any]]", items)):
        text += _read_detail(item, at, answer, events, shape)
    if len(events) == told:
        _read_reasoning(delta, answer, events)
        return
    names = [name for name in TEXT_FIELDS if delta.get(name) == text and text]
    for name in names:
        del delta[name]
    delta["~thinking"] = names


def _read_detail(item: dict[str, Any], at: int, answer: Answer, events: list[Event], shape: str) -> str:
    kind: Any = item.get("type")
    member = TEXT_OF.get(kind) if kind.__class__ is str else None
    if member is None and kind != "reasoning.encrypted":
        return ""
    text = item.get(member) if member is not None else None
    seal = item.get("signature") if member is not None else None
    data = item.get("data") if member is None else None
    if not (text or seal or data) or any(each.__class__ not in _TEXT_OR_NONE for each in (text, seal, data)):
        return ""
    key = (item.get("index"), kind, item.get("id")) if data else (item.get("index"), kind)
    if answer.kind != "thinking" or answer.detail != key:
        name: Any = item.get("id")
        answer.open("thinking", events, Thinking(id=name if name.__class__ is str else ""))
        answer.detail = key
    place = Extras(shape, {"~at": at})
    if text:
        del item[member]  # type: ignore[arg-type]
        events.append(TextDelta(answer.choice, answer.at, text, place))
    if seal:
        del item["signature"]
        signature = Signature(signer_of(item, shape), seal)
        events.append(SignatureDelta(answer.choice, answer.at, signature, extras=place))
    if data:
        del item["data"]
        signature = Signature(signer_of(item, shape), data)
        events.append(SignatureDelta(answer.choice, answer.at, signature, sealed=True, extras=place))
    return text or ""


def _read_list(delta: dict[str, Any], answer: Answer, events: list[Event], shape: str) -> None:
    """Content as a list of items (Mistral): text and thinking are read."""
    items: list[Any] = delta.pop("content")
    delta["~content"] = items
    for at, item in enumerate(items):
        if item.__class__ is not dict:
            continue
        kind = item.get("type")
        if kind == "text" and item.get("text").__class__ is str and item["text"]:
            index = answer.open("text", events)
            events.append(TextDelta(answer.choice, index, item.pop("text"), Extras(shape, {"~item": at})))
        elif kind == "thinking":
            said = item.get("thinking")
            text = thought(said)
            if text:
                plain = said == [{"type": "text", "text": text}]
                if plain:
                    del item["thinking"]
                index = answer.open("thinking", events)
                place = Extras(shape, {"~item": at} if plain else {"~item": at, "~kept": True})
                events.append(TextDelta(answer.choice, index, text, place))


def _read_refusal(delta: dict[str, Any], answer: Answer, events: list[Event], _: str) -> None:
    if delta["refusal"].__class__ is str:
        index = answer.open("refusal", events)
        text = delta.pop("refusal")
        answer.refused = answer.refused or bool(text)
        events.append(TextDelta(answer.choice, index, text))


def _read_audio(delta: dict[str, Any], answer: Answer, events: list[Event], _: str) -> None:
    audio: dict[str, Any] = delta["audio"]
    if audio.__class__ is not dict:
        return
    name, text, data = audio.get("id"), audio.get("transcript"), audio.get("data")
    if answer.kind != "audio":
        if not (name or text or data):
            return
        told = name.__class__ is str and bool(name)
        answer.open("audio", events, Audio(None, id=audio["id"] if told else ""))
    if text.__class__ is str and text:
        del audio["transcript"]
        events.append(TextDelta(answer.choice, answer.at, cast("str", text)))
    if data.__class__ is str and data:
        del audio["data"]
        events.append(AudioDelta(answer.choice, answer.at, cast("str", data)))


def _read_images(delta: dict[str, Any], answer: Answer, events: list[Event], shape: str) -> None:
    items = delta["images"]
    if items.__class__ is not list:
        return
    parts = [read_item(item, "", shape, strict=False) for item in items]
    if all(isinstance(part, Image) for part in parts):
        del delta["images"]
        for part in parts:
            answer.open("image", events, part)


def _read_annotations(delta: dict[str, Any], answer: Answer, events: list[Event], shape: str) -> None:
    t = Taker(delta)
    citations = read_annotations(t, shape)
    if not citations:
        return
    del delta["annotations"]
    delta["~annotations"] = t.rest["~annotations"]
    index = answer.text_at if answer.texts else answer.open("text", events)
    events += [CitationAdded(answer.choice, index, citation) for citation in citations]


def _read_calls(delta: dict[str, Any], answer: Answer, events: list[Event], shape: str) -> None:
    items: list[Any] = delta["tool_calls"]
    for at, item in enumerate(items if items.__class__ is list else ()):
        if item.__class__ is not dict:
            continue
        place = (
            "custom" if item.get("custom").__class__ is dict and item.get("type") != "function" else "function"
        )
        said: Any = item.get(place)
        inner = cast("dict[str, Any]", said) if said.__class__ is dict else {}
        key, index = _find(item, inner, answer, place, at, events, shape)
        if index is None:
            continue
        answer.last = key
        member = "input" if place == "custom" else "arguments"
        text: Any = inner.get(member)
        if text.__class__ is str and text:
            del inner[member]
            extras = Extras(shape, {"~at": at}) if at else None
            events.append(ArgumentsDelta(answer.choice, index, text, extras))


def _find(
    item: dict[str, Any],
    inner: dict[str, Any],
    answer: Answer,
    place: str,
    at: int,
    events: list[Event],
    shape: str,
) -> tuple[int, int | None]:
    """The call that an item continues or starts; its wire index may be missing, or the same for all."""
    said_id: Any = item.get("id")
    name: Any = inner.get("name")
    call_id = said_id if said_id.__class__ is str and said_id and said_id != "null" else ""
    named = name.__class__ is str and bool(name)
    key: Any = item.get("index")
    if key.__class__ is not int:
        new = (bool(call_id) and not _same(answer, call_id)) or (
            not call_id and named and answer.last not in answer.waiting
        )
        key = answer.top + 1 if new else max(answer.last, 0)
    known = answer.calls.get(key)
    if known is not None and (not call_id or call_id == known[1] or not named):
        return key, known[0]
    if known is not None:
        key = answer.top + 1
    answer.top = max(answer.top, key)
    if not named:
        if call_id:
            answer.waiting[key] = call_id
        return key, None
    held = answer.waiting.pop(key, "")
    put = ["name"]
    if call_id:
        del item["id"]
        put.append("id")
    del inner["name"]
    own = call_id or held or made_id("call_", answer.seed, answer.choice, answer.next, name)
    part = ToolCall(
        own, cast("str", name), type=cast("Any", place), extras=Extras(shape, {"~at": at, "~put": put})
    )
    index = answer.open("call", events, part)
    answer.calls[key] = (index, own)
    return key, index


def _same(answer: Answer, call_id: str) -> bool:
    known = answer.calls.get(answer.last)
    return bool(call_id) and known is not None and known[1] == call_id


def _read_old(delta: dict[str, Any], answer: Answer, events: list[Event], shape: str) -> None:
    """The `function_call` of before tool calls: one call, kept under an index that none has."""
    old: dict[str, Any] = delta["function_call"]
    if old.__class__ is not dict:
        return
    name = old.get("name")
    if name.__class__ is str and name and -2 not in answer.calls:
        del old["name"]
        call_id = old_id(name, answer.seed)
        extras = Extras(shape, {"~old": True})
        index = answer.open("call", events, ToolCall(call_id, cast("str", name), extras=extras))
        answer.calls[-2] = (index, call_id)
    known = answer.calls.get(-2)
    text = old.get("arguments")
    if known is not None and text.__class__ is str and text:
        del old["arguments"]
        events.append(ArgumentsDelta(answer.choice, known[0], cast("str", text)))


_READERS: tuple[tuple[str, Callable[[dict[str, Any], Answer, list[Event], str], None]], ...] = (
    ("refusal", _read_refusal),
    ("audio", _read_audio),
    ("images", _read_images),
    ("annotations", _read_annotations),
    ("tool_calls", _read_calls),
    ("function_call", _read_old),
)
