"""One answer of another vendor's stream, as it grows into Google's parts."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penstock.core.chat import Logprobs
from penstock.core.parts import (
    Audio,
    Citation,
    Inline,
    Part,
    Refused,
    Signature,
    Text,
    Thinking,
    ToolCall,
)
from penstock.dialects.gemini.candidates import PartWriter

Json = dict[str, Any]


class _Growing:
    """A part that has begun."""

    __slots__ = ("part", "pieces", "sealed", "signature")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.pieces: list[str] = []
        self.signature: list[Signature] = []
        self.sealed: list[Signature] = []


class GrowingAnswer:
    """The parts of one choice.

    Attributes:
        ready: Google's parts that no event has carried yet.
        citations: Each with the index of its part.
        logprobs: Those that no event has carried yet.
    """

    __slots__ = ("_open", "_texts", "_thoughts", "_writer", "citations", "logprobs", "ready")

    def __init__(self, *, thoughts: bool) -> None:
        self.ready: list[Json] = []
        self.citations: list[tuple[int, Citation]] = []
        self.logprobs: list[Logprobs] = []
        self._open: dict[int, _Growing] = {}
        self._texts: dict[int, list[str]] = {}
        self._thoughts = thoughts
        self._writer = PartWriter(thoughts=thoughts)

    def start(self, index: int, part: Part) -> None:
        """A part begins; what must come whole waits until it ends."""
        if index in self._open:
            self.end(index)
        if isinstance(part, Text | Refused):
            self._end_thoughts()
            self._open[index] = _Growing(part)
            if part.text:
                self.text(index, part.text)
            if isinstance(part, Text):
                self.citations += [(index, each) for each in part.citations]
                if part.signature is not None:
                    self._open[index].signature.append(part.signature)
        elif isinstance(part, Thinking):
            self._open[index] = _Growing(part)
            if part.text and self._thoughts:
                self.ready.append({"text": part.text, "thought": True})
        elif isinstance(part, ToolCall | Audio):
            self._open[index] = _Growing(part)
        else:
            self._end_thoughts()
            self._write(part)

    def text(self, index: int, text: str) -> None:
        """More text, thought, or transcript."""
        growing = self._open.get(index)
        if growing is None:
            growing = self._open[index] = _Growing(Text(""))
        part = growing.part
        if isinstance(part, Thinking):
            growing.pieces.append(text)
            if text and self._thoughts:
                self.ready.append({"text": text, "thought": True})
        elif isinstance(part, Text | Refused):
            if not text:
                return
            self._texts.setdefault(index, []).append(text)
            if self._writer.waiting:
                self._write(Text(text))
            else:
                self.ready.append({"text": text})
        else:
            growing.pieces.append(text)

    def arguments(self, index: int, text: str) -> None:
        """More of a call's arguments."""
        growing = self._open.get(index)
        if growing is not None:
            growing.pieces.append(text)

    def audio(self, index: int, data: str) -> None:
        """More sound."""
        growing = self._open.get(index)
        if growing is not None and isinstance(growing.part, Audio):
            kind = growing.part.format or "wav"
            media_type = "audio/L16;codec=pcm;rate=24000" if kind == "pcm16" else f"audio/{kind}"
            self._write(Audio(Inline(media_type, data), kind))
            growing.pieces.clear()
            growing.part = Audio(Inline(media_type, ""), kind)

    def signature(self, index: int, signature: Signature, *, sealed: bool) -> None:
        """A seal, or encrypted thinking."""
        growing = self._open.get(index)
        if growing is not None:
            (growing.sealed if sealed else growing.signature).append(signature)

    def end(self, index: int, whole: Part | None = None) -> None:
        """A part is complete."""
        growing = self._open.pop(index, None)
        if growing is None:
            return
        part = growing.part
        signature, sealed = _joined(growing.signature), _joined(growing.sealed)
        if isinstance(part, Thinking):
            final = whole if isinstance(whole, Thinking) else None
            part = final or Thinking(
                part.text + "".join(growing.pieces), signature or part.signature, sealed or part.sealed, part.id
            )
            if part.signature is not None or part.sealed is not None:
                self._writer.waiting.append(part)
        elif isinstance(part, ToolCall):
            self._end_thoughts()
            if isinstance(whole, ToolCall):
                self._write(whole)
            else:
                text = part.arguments + "".join(growing.pieces)
                self._write(replace(part, arguments=text, signature=signature or part.signature))
        elif isinstance(part, Audio):
            if part.source is None or (isinstance(part.source, Inline) and part.source.data):
                self._write(replace(part, transcript=part.transcript + "".join(growing.pieces)))
        elif isinstance(part, Text | Refused):
            self._end_text(index, whole)
            if signature is not None:
                self.ready.append({"text": "", "thoughtSignature": self._writer.seal(signature)})

    def _end_text(self, index: int, whole: Part | None) -> None:
        """The rest of a text of which the deltas told only the beginning."""
        if isinstance(whole, Text | Refused):
            told = "".join(self._texts.get(index, ()))
            if len(whole.text) > len(told) and whole.text.startswith(told):
                rest = whole.text[len(told) :]
                self._texts.setdefault(index, []).append(rest)
                self._write(Text(rest))

    def close(self) -> None:
        """Everything that is open is complete, as far as anybody said."""
        for index in sorted(self._open):
            self.end(index)
        if (rest := self._writer.rest()) is not None:
            self.ready.append(rest)

    def cited(self) -> list[tuple[int, str, Citation]]:
        """All citations, with the text that each is about."""
        places = {index: place for place, index in enumerate(sorted(self._texts))}
        texts = {index: "".join(pieces) for index, pieces in self._texts.items()}
        return [(places[at], texts[at], each) for at, each in self.citations if at in texts]

    def _end_thoughts(self) -> None:
        """Thinking is over as soon as something else begins, whether or not it was said."""
        for index in [at for at, each in self._open.items() if isinstance(each.part, Thinking)]:
            self.end(index)

    def _write(self, part: Part) -> None:
        written = self._writer.write(part)
        if written is not None:
            self.ready.append(written)


def _joined(pieces: list[Signature]) -> Signature | None:
    return Signature(pieces[-1].signer, "".join([each.value for each in pieces])) if pieces else None
