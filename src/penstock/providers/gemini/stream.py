"""The events of streamGenerateContent as pivot frames: each is a whole reply with the parts that are new."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.events import Broke, ChoiceFinished, Event, Frame, LogprobsAdded, Started, UsageReported
from penstock.core.parts import Extras
from penstock.providers.gemini.errors import error_of
from penstock.providers.gemini.response import blocked_choice, created, few, tier_of
from penstock.providers.gemini.stream_parts import Answer
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.finish import native_of, read_finish
from penstock.shapes.gemini.logprobs import read_logprobs
from penstock.shapes.gemini.parts import plain_part
from penstock.shapes.gemini.reader import Reader
from penstock.shapes.gemini.tools_used import queries_of, searched
from penstock.shapes.gemini.usage import has_counts, read_usage
from penstock.shapes.taker import bounded

_decode = msgspec.json.Decoder().decode
_HEAD = ("responseId", "modelVersion")


class GeminiStreamDecoder:
    """Reads one stream."""

    __slots__ = ("_answers", "_blocked", "_head", "_queries")

    def __init__(self) -> None:
        self._answers: dict[int, Answer] = {}
        self._head: tuple[str, str] | None = None
        self._blocked = False
        self._queries: set[str] = set()

    def read(self, name: str, data: bytes) -> Frame:
        """One event. Raises ShapeError where it cannot be read."""
        if not data or data.isspace():
            return Frame(name)
        try:
            value = _decode(data)
            if isinstance(value, dict) and "error" in value:
                return _broke(name, cast("dict[str, Any]", value))
            return self._frame(name, Reader(value))
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ShapeError("", "JSON") from None
        except RecursionError:
            raise ShapeError("", "less deeply nested") from None

    def _frame(self, name: str, reader: Reader) -> Frame:
        events: list[Event] = []
        rest = reader.rest
        self._begin(reader, events)
        self._queries |= queries_of(rest.get("candidates"))
        if rest.get("candidates"):
            left = [
                self._candidate(each, at, events) for at, each in enumerate(few(reader, "candidates") or ())
            ]
            reader.notes["~candidates"] = left
        elif not self._blocked and "promptFeedback" in rest:
            blocked = blocked_choice(rest)
            if blocked is not None:
                self._blocked = True
                events.append(ChoiceFinished(0, "content_filter", blocked.native, extras=blocked.extras))
        usage = rest.get("usageMetadata")
        if isinstance(usage, dict) and has_counts(cast("dict[str, Any]", usage)):
            del rest["usageMetadata"]
            events.append(UsageReported(read_usage(cast("dict[str, Any]", usage), searched(self._queries))))
        return Frame(name, tuple(events), reader.mark())

    def _begin(self, reader: Reader, events: list[Event]) -> None:
        rest = reader.rest
        if self._head is None:
            self._head = (reader.filled("responseId"), reader.filled("modelVersion"))
            reply_id, model = self._head
            usage = rest.get("usageMetadata")
            metadata = cast("dict[str, Any]", usage) if isinstance(usage, dict) else None
            events.append(Started(reply_id, model, created(rest.get("createTime")), tier_of(metadata)))
            return
        same: list[str] = []
        for field, known in zip(_HEAD, self._head, strict=True):
            if known and rest.get(field) == known:
                del rest[field]
                same.append(field)
        if same:
            reader.notes["~same"] = same

    def _candidate(self, candidate: Reader, at: int, events: list[Event]) -> dict[str, Any]:
        """One candidate's events; gives what is left of it."""
        rest = candidate.rest
        given = rest.get("index")
        choice = given if isinstance(given, int) and not isinstance(given, bool) else at
        answer = self._answers.get(choice)
        if answer is None:
            seed = self._head[0] if self._head is not None else ""
            answer = self._answers[choice] = Answer(choice, seed)
        content = candidate.object("content")
        if content is not None:
            parts = content.rest.get("parts")
            if isinstance(parts, list) and parts and answer.only_text(cast("list[Any]", parts), events):
                del content.rest["parts"]
            else:
                _read_parts(content, answer, events)
            candidate.notes["~content"] = content.left()
        answer.cited(rest, events)
        result = candidate.value("logprobsResult")
        if result is not None:
            events.append(LogprobsAdded(choice, read_logprobs(result)))
        if "finishReason" in rest:
            self._finish(candidate, answer, events)
        return candidate.left()

    def _finish(self, candidate: Reader, answer: Answer, events: list[Event]) -> None:
        found = native_of(candidate.rest["finishReason"])
        if found is None:
            return
        native, number = found
        del candidate.rest["finishReason"]
        answer.finish(events)
        extras = Extras(SHAPE, {"~finish": number}) if number is not None else None
        finish = read_finish(native, calls=answer.calls)
        events.append(ChoiceFinished(answer.choice, finish, native, extras=extras))


def _read_parts(content: Reader, answer: Answer, events: list[Event]) -> None:
    members = content.raw("parts")
    if members:
        bounded(len(members), "parts")
        for at, member in enumerate(members):
            if (plain := plain_part(member)) is not None:
                answer.plain(plain, events)
            else:
                answer.part(content.member(member, "parts", at), events)
    elif members is not None:
        content.note("parts", value=True)


def _broke(name: str, value: dict[str, Any]) -> Frame:
    error = error_of(value)
    fields = value["error"]
    code = cast("dict[str, Any]", fields).get("code") if isinstance(fields, dict) else None
    status = code if isinstance(code, int) and not isinstance(code, bool) else 0
    message = (error.message if error is not None else None) or "the provider reports an error"
    kind = (error.type if error is not None else None) or ""
    reason = str(error.code) if error is not None and error.code is not None else ""
    return Frame(name, (Broke(message, kind, reason, status),), Extras(SHAPE, {"~error": value}))
