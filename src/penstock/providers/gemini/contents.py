"""Messages as `contents` and `systemInstruction`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.parts import (
    Audio,
    Document,
    FileRef,
    Image,
    Link,
    Part,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.core.turns import split_system, tool_names
from penstock.ports.translation import Addressee
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.calls import write_result
from penstock.shapes.gemini.parts import is_own, write_part
from penstock.shapes.gemini.reader import closed, opened, own, own_fields
from penstock.shapes.gemini.seals import FOREIGN_CALL

_ROLES = {"assistant": "model", "system": "system"}
_FEATURES: dict[type, str] = {Image: "image", Audio: "audio", Video: "video", Document: "document"}

Json = dict[str, Any]


def write_contents(messages: Iterable[Message], to: Addressee) -> tuple[Json | None, list[Json]]:
    """`systemInstruction`, and `contents`."""
    messages = tuple(messages)
    system, turns = split_system(messages)
    inside = tuple([each for each in system if "~role" in own_fields(each.extras)])
    if inside:  # a system message among a Gemini client's own contents stays there
        system = tuple([each for each in system if each not in inside])
        turns = tuple([each for each in messages if each not in system])
    writer = _Writer(to, tool_names(messages))
    instruction = writer.system(system)
    contents = writer.contents(_gathered(turns))
    if not contents and instruction is not None and not own(system[0].extras):
        return None, [{"role": "user", "parts": instruction["parts"]}]  # contents may not be empty
    return instruction, contents


def _gathered(messages: Iterable[Message]) -> list[Message]:
    """Neighbours of one role as one message; a Gemini client's own contents stay as they are."""
    out: list[Message] = []
    pieces: list[list[Part]] = []  # of each message; joined once, since a client may send thousands
    for message in messages:
        each = replace(message, role="user") if message.role == "tool" and not own(message.extras) else message
        last = out[-1] if out else None
        if last is None or last.role != each.role or own(last.extras) or own(each.extras):
            out.append(each)
            pieces.append(list(each.parts))
        else:
            pieces[-1] += each.parts
    return [
        message if len(message.parts) == len(parts) else replace(message, parts=tuple(parts))
        for message, parts in zip(out, pieces, strict=True)
    ]


class _Writer:
    """Writes contents one after the other."""

    def __init__(self, to: Addressee, names: dict[str, str]) -> None:
        self._to = to
        self._names = names
        self._lacks = to.profile.lacks
        # Models that are told how hard to think by a word are those that check signatures.
        self._checked = to.profile.thinking == "effort"
        self._order: dict[str, int] = {}
        self._foreign = False  # whether the step at hand came from another model, through a Gemini client

    def system(self, messages: tuple[Message, ...]) -> Json | None:
        if not messages:
            return None
        fields = own_fields(messages[0].extras)
        parts: list[Json] = []
        for message in messages:
            for part in message.parts:
                if own(message.extras) or (isinstance(part, Text) and part.text):
                    parts += self._part(part, mine=own(message.extras))
                elif not isinstance(part, Text):
                    self._to.losses.drop(f"system.{_FEATURES.get(type(part), 'part')}")
        if fields.get("~form") == "string":
            return {"~string": "".join([each.get("text", "") for each in parts])}
        if not parts and not own(messages[0].extras):
            return None
        return self._content(fields, None, parts)

    def contents(self, messages: list[Message]) -> list[Json]:
        out: list[Json] = []
        for message in messages:
            if message.role != "assistant":
                self._foreign = False
            if own(message.extras):
                fields = own_fields(message.extras)
                parts = self._mine(message.parts)
                role = fields.get("~role", "") if "~role" in fields else _ROLES.get(message.role, "user")
                out.append(self._content(fields, role, parts))
            elif message.role == "assistant":
                self._add(out, "model", self._assistant(message.parts))
            else:
                self._user(out, message.parts)
        return out

    def _mine(self, parts: tuple[Part, ...]) -> list[Json]:
        """A Gemini client's own content, in which another model's turn may have come back."""
        out: list[Json] = []
        for part in parts:
            seal = None
            if isinstance(part, Thinking | Text | ToolCall) and part.signature is not None:
                self._foreign = self._foreign or part.signature.signer != SHAPE
            if isinstance(part, ToolCall) and self._foreign:
                seal = _own_seal(part.signature) or (FOREIGN_CALL if self._checked else None)
                self._foreign = False
            out += self._part(part, mine=True, seal=seal)
        return out

    def _content(self, fields: Json, role: str | None, parts: list[Json]) -> Json:
        out, notes = opened(fields)
        if role is not None:
            out["role"] = role
        if parts or "~parts" in notes:
            out["parts"] = parts
        return closed(out, notes)

    def _add(self, out: list[Json], role: str, parts: list[Json]) -> None:
        if parts:
            out.append({"role": role, "parts": parts})

    def _assistant(self, parts: tuple[Part, ...]) -> list[Json]:
        self._order = {
            each.id: at for at, each in enumerate([each for each in parts if isinstance(each, ToolCall)])
        }
        out: list[Json] = []
        unchecked = self._checked
        for part in parts:
            if isinstance(part, ToolCall):
                seal = _own_seal(part.signature) or (FOREIGN_CALL if unchecked else None)
                unchecked = False
                out += self._part(part, mine=False, seal=seal)
            else:
                out += self._part(part, mine=False)
        return out

    def _user(self, out: list[Json], parts: tuple[Part, ...]) -> None:
        """Results stand in a content of their own, in the order of the calls, before what else is said."""
        results = [each for each in parts if isinstance(each, ToolResult)]
        results.sort(key=lambda each: self._order.get(each.call_id, len(self._order)))
        answered: list[Json] = []
        beside: list[Json] = []
        for result in results:
            written, media = self._result(result)
            answered.append(written)
            beside += media
        self._add(out, "user", answered)
        rest = [
            each for part in parts if not isinstance(part, ToolResult) for each in self._part(part, mine=False)
        ]
        self._add(out, "user", beside + rest)

    def _result(self, part: ToolResult) -> tuple[Json, list[Json]]:
        inside = True
        if any(isinstance(each, Image | Audio | Video | Document) for each in part.content):
            inside = is_own(part) or "tool_result.media" not in self._lacks
            if not inside and not self._to.losses.map("tool_result.media"):
                kept = tuple([each for each in part.content if isinstance(each, Text)])
                part = replace(part, content=kept)
        name = self._names.get(part.call_id) or part.call_id or "function"
        return write_result(part, name, _own_seal(part.signature), inside=inside)

    def _part(self, part: Part, *, mine: bool, seal: str | None = None) -> list[Json]:
        """The part as Google's parts; `mine` where its message was written in this shape."""
        if isinstance(part, ToolResult):
            written, beside = self._result(part)
            return [written, *beside]
        if isinstance(part, Thinking):
            return self._thinking(part, mine=mine)
        mine = mine or is_own(part)
        if isinstance(part, Text | Refused) and not mine:
            seal = _own_seal(part.signature) if isinstance(part, Text) else None
            return (
                [{"text": part.text, **({"thoughtSignature": seal} if seal else {})}]
                if part.text or seal
                else []
            )
        if isinstance(part, Text | Image | ToolCall):
            seal = seal or _own_seal(part.signature)
        if not mine and isinstance(part, Image | Audio | Video | Document):
            return self._media(part, seal)
        written = write_part(part, seal)
        return [written] if written is not None else []

    def _thinking(self, part: Thinking, *, mine: bool) -> list[Json]:
        """Google's own thoughts; those of others tell it nothing that it could check."""
        seal = _own_seal(part.signature)
        foreign = part.signature is not None or part.sealed is not None
        if seal is None and (foreign or not mine):
            return []
        written = write_part(part, seal)
        return [written] if written is not None else []

    def _media(self, part: Image | Audio | Video | Document, seal: str | None) -> list[Json]:
        feature = _FEATURES[type(part)]
        losses = self._to.losses
        if feature in self._lacks:
            losses.drop(feature)
            return []
        if isinstance(part.source, Link) and f"{feature}.link" in self._lacks:
            losses.drop(f"{feature}.link")
            return []
        said = [each for each in (part.title, part.context) if each] if isinstance(part, Document) else []
        written = write_part(part, seal)
        if written is None:
            if isinstance(part, Audio) and part.transcript:
                return [{"text": part.transcript}]
            losses.drop(f"{feature}.file" if isinstance(part.source, FileRef) else feature)
            return []
        return [*[{"text": each} for each in said], written]


def _own_seal(signature: Signature | None) -> str | None:
    return signature.value if signature is not None and signature.signer == SHAPE else None
