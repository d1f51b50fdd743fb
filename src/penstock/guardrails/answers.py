"""Whole answers under guards: a body, or all of a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from penstock.core.screen_plan import Guard
from penstock.guardrails.bodies import Text, rewritten, said, screened_slots
from penstock.guardrails.cutting import Cutter
from penstock.guardrails.docket import Docket
from penstock.guardrails.looking import screened_text
from penstock.guardrails.stream import GuardedStream, decode_event
from penstock.guardrails.texts.events import Key, Reader
from penstock.guardrails.texts.slots import Slot, reply_slots
from penstock.wire.json_paths import strict_json


class AnswerText:
    """An answer as bytes: a stream's pieces but the last, and the last; or nothing, and the body."""

    __slots__ = ("kept", "last")

    def __init__(self, kept: bytes, last: bytes) -> None:
        self.kept = kept
        self.last = last

    def value(self) -> dict[str, Any] | None:
        """A body's JSON object; None where it is none."""
        try:
            value: Any = strict_json(self.last)
        except ValueError:
            return None
        return cast("dict[str, Any]", value) if isinstance(value, dict) else None

    def slots(self) -> list[Slot]:
        """The texts of a body."""
        value = self.value()
        if value is None:
            text = self.last.decode("utf-8", "replace")
            return [Slot((), "assistant", text)] if text else []
        return reply_slots(value)


def screened_body(guards: Sequence[Guard], answer: AnswerText, docket: Docket, *, restore: bool) -> AnswerText:
    """What the guards leave of a body; one that is no JSON object is a text."""
    value = answer.value()
    if value is None:
        text = answer.last.decode("utf-8", "surrogateescape")
        new = screened_text(guards, text, "assistant", docket, restore=restore)
        return answer if new == text else AnswerText(answer.kept, new.encode("utf-8", "surrogateescape"))
    changed = screened_slots(guards, reply_slots(value), docket, restore=restore)
    return AnswerText(answer.kept, rewritten(answer.last, value, changed)) if changed else answer


def screened_stream(stream: GuardedStream, answer: AnswerText) -> AnswerText:
    """What the guards leave of a stream that is complete."""
    kept = stream.feed(answer.kept)
    return AnswerText(kept, stream.finish(answer.last))


def stream_texts(answer: AnswerText, read: Reader, cutter: Cutter) -> list[Text]:
    """Who said what in a stream that is complete, each text in one piece."""
    grown: dict[Key, list[str]] = {}
    slots: dict[Key, Slot] = {}
    for event in cutter.feed(answer.kept + answer.last):
        value = decode_event(cutter.payload(event))
        if value is None:
            continue
        for number, piece in enumerate(read(value)[0]):
            alone = piece.kind not in ("text", "arguments")
            key: Key = ("whole", len(slots), number) if alone else piece.key
            json = piece.kind in ("arguments", "whole_json")
            slots.setdefault(key, Slot((), piece.role, "", json))
            grown.setdefault(key, []).append(piece.text)
    texts = said([slot._replace(text="".join(grown[key])) for key, slot in slots.items()])
    return list(dict.fromkeys(texts))
