"""Output items that are being written: each opens, grows and closes by the events of the API.

Reference: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.core.parts import Citation, Part, Refused, Signature, Text, Thinking, ToolCall
from penstock.dialects.openai_responses.items import Items, free_text
from penstock.ports.translation import WireEvent
from penstock.shapes.openai_responses.annotations import encode_annotation
from penstock.shapes.openai_responses.reasoning import call_seal_item
from penstock.shapes.openai_responses.stream_events import ADDED, ANNOTATION, DONE, PART_ADDED, PART_DONE

_encode = msgspec.json.Encoder().encode


class Wire:
    """Numbers events, gathers those of one frame, and keeps the complete items."""

    __slots__ = ("items", "next_place", "out", "sequence")

    def __init__(self) -> None:
        self.out: list[WireEvent] = []
        self.items: dict[int, dict[str, Any]] = {}
        self.sequence = -1
        self.next_place = 0

    def emit(self, kind: str, fields: dict[str, Any]) -> None:
        """One event."""
        self.sequence += 1
        self.out.append(WireEvent(kind, _encode({"type": kind, "sequence_number": self.sequence, **fields})))

    def taken(self) -> list[WireEvent]:
        """The events since the last time."""
        out, self.out = self.out, []
        return out

    def place(self) -> int:
        """The place of a new item."""
        self.next_place += 1
        return self.next_place - 1

    def added(self, at: int, item: dict[str, Any]) -> None:
        """An item begins."""
        self.emit(ADDED, {"output_index": at, "item": item})

    def done(self, at: int, item: dict[str, Any]) -> None:
        """An item is complete."""
        self.items[at] = item
        self.emit(DONE, {"output_index": at, "item": item})

    def output(self) -> list[dict[str, Any]]:
        """The complete items in order."""
        return [self.items[at] for at in sorted(self.items)]


class MessageBlock:
    """A message; its texts and refusals come one after the other."""

    __slots__ = ("_content", "_pieces", "_place", "_wire", "at", "index", "item")

    def __init__(self, wire: Wire, items: Items) -> None:
        self._wire = wire
        self.at = wire.place()
        self.item = items.message(self.at, "in_progress")
        self.index: int | None = None
        self._content: dict[str, Any] = {}
        self._pieces: list[str] = []
        self._place: dict[str, Any] = {}
        wire.added(self.at, {**self.item, "content": []})

    def begin(self, index: int, part: Part) -> None:
        """A text or a refusal begins, the pivot's part `index`."""
        self.end_text()
        self.index = index
        if isinstance(part, Refused):
            self._content = {"type": "refusal", "refusal": ""}
        else:
            self._content = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
        self._pieces = []
        self._place = {
            "item_id": self.item["id"],
            "output_index": self.at,
            "content_index": len(self.item["content"]),
        }
        self._wire.emit(PART_ADDED, {**self._place, "part": self._content})

    def text(self, text: str, logprobs: list[dict[str, Any]]) -> None:
        """More of it."""
        if not text:
            return
        self._pieces.append(text)
        if "refusal" in self._content:
            self._wire.emit("response.refusal.delta", {**self._place, "delta": text})
            return
        if logprobs:
            self._content["logprobs"] = [*self._content["logprobs"], *logprobs]
        self._wire.emit("response.output_text.delta", {**self._place, "delta": text, "logprobs": logprobs})

    def add_logprobs(self, logprobs: list[dict[str, Any]]) -> None:
        """Log probabilities that came after their text."""
        if "logprobs" in self._content:
            self._content["logprobs"] = [*self._content["logprobs"], *logprobs]

    def cite(self, citation: Citation) -> None:
        """One more source of the text."""
        if "refusal" in self._content:
            return
        annotation = encode_annotation(citation, sum([len(piece) for piece in self._pieces]))
        number = len(self._content["annotations"])
        self._content["annotations"] = [*self._content["annotations"], annotation]
        self._wire.emit(ANNOTATION, {**self._place, "annotation_index": number, "annotation": annotation})

    def finish_part(self, part: Part | None) -> None:
        """The part is complete; what its whole form has and no delta told is told now."""
        if not isinstance(part, Text | Refused) or not self._content:
            return
        known = "".join(self._pieces)
        if part.text.startswith(known):
            self.text(part.text[len(known) :], [])
        if isinstance(part, Text) and not self._content.get("annotations"):
            for citation in part.citations:
                self.cite(citation)

    def end_text(self) -> None:
        """The text that is open is complete."""
        if not self._content:
            return
        content, text = self._content, "".join(self._pieces)
        self._content = {}
        self.index = None
        if "refusal" in content:
            content["refusal"] = text
            self._wire.emit("response.refusal.done", {**self._place, "refusal": text})
        else:
            content["text"] = text
            done = {**self._place, "text": text, "logprobs": content["logprobs"]}
            self._wire.emit("response.output_text.done", done)
        self._wire.emit(PART_DONE, {**self._place, "part": content})
        self.item["content"].append(content)

    def close(self, status: str) -> None:
        """The message is complete."""
        self.end_text()
        self.item["status"] = status
        self._wire.done(self.at, self.item)


class ThinkingBlock:
    """Thinking, shown as one summary. Its seal may come late, so that the item stays open."""

    __slots__ = ("_items", "_part", "_pieces", "_place", "_quiet", "_wire", "at")

    def __init__(self, wire: Wire, items: Items, part: Thinking) -> None:
        self._wire = wire
        self._items = items
        self.at = wire.place()
        self._part = replace(part, text="", extras=None)
        self._pieces: list[str] = []
        self._quiet = False
        identity = items.id("reasoning", self.at)
        self._place = {"item_id": identity, "output_index": self.at, "summary_index": 0}
        wire.added(self.at, {"id": identity, "type": "reasoning", "summary": []})
        self.text(part.text)

    def text(self, text: str) -> None:
        """More of it."""
        if not text:
            return
        if not self._pieces:
            part = {"type": "summary_text", "text": ""}
            self._wire.emit("response.reasoning_summary_part.added", {**self._place, "part": part})
        self._pieces.append(text)
        if not self._quiet:
            self._wire.emit("response.reasoning_summary_text.delta", {**self._place, "delta": text})

    def seal(self, signature: Signature, *, sealed: bool) -> None:
        """A piece of the seal, or of the encrypted thinking."""
        name = "sealed" if sealed else "signature"
        old: Signature | None = getattr(self._part, name)
        value = (old.value if old is not None else "") + signature.value
        self._part = replace(self._part, **{name: Signature(signature.signer, value)})

    def finish_part(self, part: Part | None) -> None:
        """The whole form replaces what was gathered, where it says more."""
        if not isinstance(part, Thinking):
            return
        known = "".join(self._pieces)
        if part.text.startswith(known):
            self.text(part.text[len(known) :])
        self._part = replace(
            self._part,
            signature=self._part.signature or part.signature,
            sealed=self._part.sealed or part.sealed,
        )

    def quiet(self) -> None:
        """Something else begins: the text is shown as complete."""
        if self._quiet or not self._pieces:
            return
        self._quiet = True
        text = "".join(self._pieces)
        self._wire.emit("response.reasoning_summary_text.done", {**self._place, "text": text})
        part = {"type": "summary_text", "text": text}
        self._wire.emit("response.reasoning_summary_part.done", {**self._place, "part": part})

    def close(self) -> None:
        """The item is complete."""
        self.quiet()
        self._part = replace(self._part, text="".join(self._pieces))
        self._wire.done(self.at, self._items.reasoning(self._part, self.at))


class CallBlock:
    """A call of a tool. Arguments of a function that stands for a free-text tool wait until they are whole."""

    __slots__ = ("_free", "_items", "_late", "_part", "_pieces", "_wire", "at")

    def __init__(self, wire: Wire, items: Items, part: ToolCall) -> None:
        self._wire = wire
        self._items = items
        self.at = wire.place()
        self._part = replace(part, extras=None)
        self._free = items.is_free_text(self._part)
        self._pieces: list[str] = []
        self._late: Signature | None = None
        item = items.call(replace(self._part, arguments=""), self.at, "in_progress")
        item["input" if "input" in item else "arguments"] = ""
        wire.added(self.at, item)
        self.arguments(part.arguments)

    @property
    def _field(self) -> str:
        return "input" if self._free or self._part.type == "custom" else "arguments"

    def arguments(self, text: str) -> None:
        """More of them."""
        if not text:
            return
        self._pieces.append(text)
        if not self._free:
            self._delta(text)

    def _delta(self, text: str) -> None:
        name = "custom_tool_call_input" if self._field == "input" else "function_call_arguments"
        self._wire.emit(f"response.{name}.delta", {**self._place, "delta": text})

    @property
    def _place(self) -> dict[str, Any]:
        kind = "custom_tool_call" if self._field == "input" else "function_call"
        return {"item_id": self._items.id(kind, self.at), "output_index": self.at}

    def seal(self, signature: Signature) -> None:
        """The call's seal, after its id was told."""
        old = self._late.value if self._late is not None else ""
        self._late = Signature(signature.signer, old + signature.value)

    def finish_part(self, part: Part | None) -> None:
        """The whole form has the arguments in full."""
        if not isinstance(part, ToolCall):
            return
        known = "".join(self._pieces)
        if part.arguments.startswith(known):
            self.arguments(part.arguments[len(known) :])
        if part.signature is not None and self._part.signature is None and self._late is None:
            self._late = part.signature

    def close(self) -> None:
        """The call is complete."""
        arguments = "".join(self._pieces)
        if self._free:
            self._delta(free_text(arguments))
        elif not arguments and self._field == "arguments":
            arguments = "{}"
            self._delta(arguments)
        item = self._items.call(replace(self._part, arguments=arguments), self.at, "completed")
        name = "custom_tool_call_input" if self._field == "input" else "function_call_arguments"
        done = {**self._place, self._field: item[self._field]}
        if self._field == "arguments":
            done["name"] = item["name"]
        self._wire.emit(f"response.{name}.done", done)
        self._wire.done(self.at, item)
        if self._late is not None:
            at = self._wire.place()
            seal = call_seal_item(self._items.id("reasoning", at), self._late)
            self._wire.added(at, {**seal, "encrypted_content": None})
            self._wire.done(at, seal)


Block = MessageBlock | ThinkingBlock | CallBlock
