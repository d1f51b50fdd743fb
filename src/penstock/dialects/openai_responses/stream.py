"""The pivot's frames as the typed events of a response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from penstock.core.chat import FinishReason, ReplyUsage
from penstock.core.events import (
    ArgumentsDelta,
    Broke,
    ChoiceFinished,
    CitationAdded,
    Ended,
    Frame,
    LogprobsAdded,
    PartEnded,
    PartStarted,
    SignatureDelta,
    Started,
    TextDelta,
    UsageReported,
)
from penstock.core.parts import Audio, Refused, Text, Thinking, ToolCall
from penstock.dialects.openai_responses.blocks import (
    Block,
    CallBlock,
    MessageBlock,
    ThinkingBlock,
    Wire,
)
from penstock.dialects.openai_responses.echo import response_object
from penstock.dialects.openai_responses.errors import error_event, response_error
from penstock.dialects.openai_responses.items import Items
from penstock.dialects.openai_responses.same import SameShape
from penstock.ports.translation import Asked, WireEvent
from penstock.shapes.openai_responses.finish import status_fields
from penstock.shapes.openai_responses.logprobs import encode_logprobs
from penstock.shapes.openai_responses.names import is_own
from penstock.shapes.openai_responses.usage import encode_usage


class ResponsesStreamEncoder:
    """One stream to a client: implements ports.translation.StreamEncoder."""

    __slots__ = (
        "_asked",
        "_blocks",
        "_finish",
        "_items",
        "_logprobs",
        "_message",
        "_over",
        "_refused",
        "_response",
        "_same",
        "_usage",
        "_wire",
        "_writers",
    )

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._items = Items(asked.request, asked.request_id)
        self._wire = Wire()
        self._same: SameShape | None = None
        self._response: dict[str, Any] | None = None
        self._blocks: dict[int, Block] = {}
        self._message: MessageBlock | None = None
        self._logprobs: list[dict[str, Any]] = []
        self._finish: FinishReason | None = None
        self._refused = False
        self._usage: ReplyUsage | None = None
        self._over = False
        self._writers: dict[type, Callable[[Any], None]] = {
            Started: self._started,
            PartStarted: self._part_started,
            TextDelta: self._text,
            ArgumentsDelta: self._arguments,
            SignatureDelta: self._signature,
            CitationAdded: self._citation,
            PartEnded: self._part_ended,
            ChoiceFinished: self._finished,
            UsageReported: self._used,
            Broke: self._broke,
            Ended: self._ended,
        }

    def write(self, frame: Frame) -> list[WireEvent]:
        """The wire events for one frame."""
        if is_own(frame.extras):
            if self._same is None:
                self._same = SameShape()
            return [self._same.write(frame)]
        for event in frame.events:
            if type(event) is LogprobsAdded and event.choice == 0:
                self._logprobs += encode_logprobs(event.logprobs)
        for event in frame.events:
            if self._over:
                break
            writer = self._writers.get(type(event))
            if writer is not None and getattr(event, "choice", 0) == 0:
                writer(event)
        if self._logprobs and self._message is not None:
            self._message.add_logprobs(self._logprobs)
            self._logprobs = []
        return self._wire.taken()

    def end(self) -> list[WireEvent]:
        """What closes the stream; nothing for a stream of this shape, which says it itself."""
        if self._same is not None or self._over:
            return []
        self._ended(Ended())
        return self._wire.taken()

    def fail(self, error: Broke) -> list[WireEvent]:
        """An error event, and the response as failed."""
        if self._over:
            return []
        self._broke(error)
        return self._wire.taken()

    # --- the response -----------------------------------------------------------------------------------

    def _begin(self, started: Started) -> dict[str, Any]:
        if self._response is not None:
            return self._response
        asked = self._asked
        created = started.created_s if started.created_s is not None else asked.created_s
        self._response = response_object(asked, started.model or asked.model, created)
        if started.service_tier:
            self._response["service_tier"] = started.service_tier
        self._wire.emit("response.created", {"response": self._response})
        self._wire.emit("response.in_progress", {"response": self._response})
        return self._response

    def _started(self, event: Started) -> None:
        self._begin(event)

    def _finished(self, event: ChoiceFinished) -> None:
        self._finish = event.finish

    def _used(self, event: UsageReported) -> None:
        self._usage = event.usage

    def _close_all(self, status: str) -> None:
        for block in sorted(set(self._blocks.values()), key=lambda block: block.at):
            if not isinstance(block, MessageBlock):
                block.close()
        self._blocks.clear()
        self._close_message(status)

    def _ended(self, _: Ended) -> None:
        response = self._begin(Started())
        fields = status_fields(self._finish, refused=self._refused)
        status = fields["status"]
        self._close_all("incomplete" if status == "incomplete" else "completed")
        response = {**response, **fields, "output": self._wire.output()}
        response["usage"] = encode_usage(self._usage) if self._usage is not None else None
        self._over = True
        self._wire.emit(f"response.{status}", {"response": response})

    def _broke(self, error: Broke) -> None:
        if self._same is not None:
            self._wire.sequence = self._same.sequence
            self._response = self._same.response or self._response
        response = self._begin(Started())
        self._over = True
        self._wire.emit("error", error_event(error))
        failed = {
            **response,
            "status": "failed",
            "error": response_error(error),
            "output": self._wire.output(),
            "usage": encode_usage(self._usage) if self._usage is not None else None,
        }
        self._wire.emit("response.failed", {"response": failed})

    # --- parts ------------------------------------------------------------------------------------------

    def _part_started(self, event: PartStarted) -> None:
        self._begin(Started())
        part, index = event.part, event.index
        for block in self._blocks.values():
            if isinstance(block, ThinkingBlock):
                block.quiet()
        if isinstance(part, Text | Refused | Audio):
            self._open_text(index, part)
            text = part.transcript if isinstance(part, Audio) else part.text
            self._add_text(cast("MessageBlock", self._message), text)
            for citation in part.citations if isinstance(part, Text) else ():
                cast("MessageBlock", self._message).cite(citation)
            return
        self._close_message("completed")
        if isinstance(part, Thinking):
            self._blocks[index] = ThinkingBlock(self._wire, self._items, part)
        elif isinstance(part, ToolCall):
            self._blocks[index] = CallBlock(self._wire, self._items, part)
        else:
            self._whole(event)

    def _whole(self, event: PartStarted) -> None:
        """A picture, or an item of this shape: it comes in one piece."""
        item = self._items.whole(event.part, self._wire.next_place)
        if item is not None:
            at = self._wire.place()
            self._wire.added(at, {**item, "result": None} if "result" in item else item)
            self._wire.done(at, item)

    def _open_text(self, index: int, part: Text | Refused | Audio) -> None:
        self._refused = self._refused or isinstance(part, Refused)
        if self._message is None:
            self._message = MessageBlock(self._wire, self._items)
        self._message.begin(index, part)
        self._blocks[index] = self._message

    def _close_message(self, status: str) -> None:
        if self._message is not None:
            self._message.close(status)
            self._message = None

    def _message_of(self, index: int) -> MessageBlock | None:
        """The message in which the part grows; a part that was closed too early goes on in a new text."""
        block = self._blocks.get(index)
        if not isinstance(block, MessageBlock):
            return None
        if block is not self._message or block.index != index:
            self._open_text(index, Text(""))
        return self._message

    def _add_text(self, message: MessageBlock, text: str) -> None:
        if text:
            logprobs, self._logprobs = self._logprobs, []
            message.text(text, logprobs)

    def _text(self, event: TextDelta) -> None:
        block = self._blocks.get(event.index)
        if isinstance(block, ThinkingBlock):
            block.text(event.text)
        elif event.text and (message := self._message_of(event.index)) is not None:
            self._add_text(message, event.text)

    def _arguments(self, event: ArgumentsDelta) -> None:
        block = self._blocks.get(event.index)
        if isinstance(block, CallBlock):
            block.arguments(event.text)

    def _signature(self, event: SignatureDelta) -> None:
        block = self._blocks.get(event.index)
        if isinstance(block, ThinkingBlock):
            block.seal(event.signature, sealed=event.sealed)
        elif isinstance(block, CallBlock):
            block.seal(event.signature)

    def _citation(self, event: CitationAdded) -> None:
        message = self._message_of(event.index)
        if message is not None:
            message.cite(event.citation)

    def _part_ended(self, event: PartEnded) -> None:
        block = self._blocks.get(event.index)
        if block is None:
            return
        if isinstance(block, MessageBlock):
            if block is self._message and block.index == event.index:
                # The text stays open until something else begins: log probabilities may follow.
                block.finish_part(event.part)
            return
        block.finish_part(event.part)
        block.close()
        del self._blocks[event.index]
