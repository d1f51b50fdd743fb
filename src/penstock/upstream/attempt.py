"""One attempt: sends a request to a target and reads the answer, whole or as a stream.

It reports to its exchange by plain calls. Exactly one of `attempt_done` and `attempt_failed` ends it, unless
it was cancelled. For a stream, `attempt_frames` delivers bytes for the client from the first content event on;
everything before is held back, so that another target can still take over.
"""

from __future__ import annotations

from typing import Final, Protocol

from penstock.core.plan import Timeouts
from penstock.core.target import Target
from penstock.core.usage import Usage
from penstock.ports.clock import Clock
from penstock.ports.transport import Call, Transport
from penstock.providers.openai.errors import (
    Failure,
    failure_of_cause,
    failure_of_event,
    failure_of_status,
    read_error,
)
from penstock.providers.openai.stream import StreamReader
from penstock.shapes.openai import Answer
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.codec import Codec, EventReader, Framer, Whole
from penstock.upstream.whole import read_whole
from penstock.wire.http1 import parse_retry_after
from penstock.wire.sse import EventTooLargeError, SseDecoder

MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024
MAX_ERROR_BYTES: Final = 256 * 1024
FAR: Final = float("inf")
# How long a stream that has said all it must may take to end its body.
ENDING_S: Final = 2.0


class AttemptListener(Protocol):
    """The exchange, as its attempts see it."""

    def attempt_frames(self, attempt: Attempt, data: bytes) -> None:
        """Bytes of a stream for the client; the first call means that this attempt is accepted."""
        ...

    def attempt_done(self, attempt: Attempt, last: bytes) -> None:
        """The answer is complete; `last` is its last piece, to be sent after the settlement."""
        ...

    def attempt_failed(self, attempt: Attempt, failure: Failure) -> None:
        """The answer will not be completed."""
        ...

    def attempt_hangs(self, attempt: Attempt) -> None:
        """Nothing comes back from its target, for it or for others; it goes on unless it is cancelled."""
        ...

    def attempt_released(self, attempt: Attempt) -> None:
        """After `attempt_done` of a stream that ended by its own mark: the connection is done with, too."""
        ...


class Attempt:
    """See the module. Times are monotonic seconds, 0 until they happened."""

    __slots__ = (
        "_bytes", "_call", "_clock", "_held", "_listener", "_parts", "_sse", "_timeouts", "_total_deadline",
        "accepted", "answer", "began_at", "body", "codec", "connected_at", "content_at", "deadline",
        "ended_at", "entire", "first_at", "headers", "index", "kept", "kept_bytes", "last", "mode", "number",
        "opened_ms", "reader", "request", "reserved_nanousd", "reserved_usage", "retry_of", "reused",
        "sent_at", "service_tier", "stage", "status", "target", "touched", "whole",
    )  # fmt: skip

    def __init__(
        self,
        listener: AttemptListener,
        request: OpenAIRequest,
        target: Target,
        index: int,
        timeouts: Timeouts,
        total_deadline: float,
        clock: Clock,
    ) -> None:
        self._listener = listener
        self._clock = clock
        self._timeouts = timeouts
        self._total_deadline = total_deadline
        self._call: Call | None = None
        self._parts: list[bytes] = []
        self._held: list[bytes] = []
        self._bytes = 0
        self._sse: Framer | None = None
        self.codec: Codec | None = None
        self.body = b""
        self.reader: EventReader | None = None
        self.answer: Answer | None = None
        self.whole: Whole | None = None
        self.request = request
        self.target = target
        self.index = index
        self.mode = ""
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.accepted = False
        self.reused = False
        self.retry_of = ""
        self.stage = ""  # where in the policy it stands
        self.sent_at = self.connected_at = self.first_at = self.ended_at = 0.0
        self.began_at = self.content_at = 0.0
        self.deadline = FAR
        self.touched = False
        self.opened_ms = 0
        self.reserved_nanousd: int | None = None
        self.reserved_usage = Usage()
        self.service_tier = ""
        self.number = 0
        # Kept back until the exchange accepts this attempt: what came first, or `entire`ly all of it.
        self.entire = False
        self.kept: list[bytes] = []
        self.kept_bytes = 0
        self.last: bytes | None = None

    def start(self, transport: Transport, request: bytes) -> None:
        """Send the request."""
        self.sent_at = self._clock.monotonic()
        self.deadline = self._total_deadline  # connecting has its own deadline, in the transport
        call = transport.send(self.target.origin, request, self, self._timeouts.connect_s)
        if self.deadline != FAR:
            self._call = call

    def cancel(self) -> None:
        """Give up; nothing is reported any more."""
        self.ended_at = self.ended_at or self._clock.monotonic()
        self.deadline = FAR
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def pause(self) -> None:
        """The client is slow."""
        if self._call is not None:
            self._call.pause()
            self.touched = False
            self.deadline = self._total_deadline

    def resume(self) -> None:
        """The client has caught up."""
        if self._call is not None:
            self._arm_idle()
            self._call.resume()

    def expire(self) -> None:
        """The deadline of the current phase has passed."""
        if self._said_all():
            self._end_early()
            return
        now = self._clock.monotonic()
        cause = "first_event_timeout" if self.request.stream and not self.accepted else "idle_timeout"
        if now >= self._total_deadline:
            cause = "total_timeout"
        self._fail(
            failure_of_cause(cause, f"nothing more within the route's {cause.removesuffix('_timeout')}_s")
        )

    @property
    def silent(self) -> bool:
        """Whether the request was sent and nothing at all has come back."""
        return self.sent_at > 0.0 and self.first_at == 0.0 and self.ended_at == 0.0

    def hang(self) -> None:
        """The target seems to hang: whoever listens may give up on it."""
        self._listener.attempt_hangs(self)

    # --- ports.transport.ResponseHandler ----------------------------------------------------------------

    def on_connected(self, *, reused: bool) -> None:
        """The request is on its way."""
        self.reused = reused
        self.connected_at = self._clock.monotonic()
        if self.request.stream:
            self.deadline = min(self._total_deadline, self.connected_at + self._timeouts.first_event_s)

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """Choose how the body is read."""
        self.status = status
        self.headers = headers
        self.first_at = self._clock.monotonic()
        kind = headers.get(b"content-type", b"").lower()
        endpoint = self.request.endpoint
        codec = self.codec
        if status != 200:
            self.mode = "error"
        elif codec is not None:
            self.mode = "binary" if codec.binary else "whole"
            if self.request.stream and codec.streams(kind):
                self.mode = "stream"
                self._sse, self.reader = codec.stream()
        elif (
            self.request.stream and endpoint.stream_shape is not None and kind.startswith(b"text/event-stream")
        ):
            self.mode = "stream"
            self._sse = SseDecoder()
            hide = not self.request.wants_usage and self.target.asks_stream_usage
            self.reader = StreamReader(endpoint.stream_shape, hide_usage=hide)
        elif endpoint.name == "audio.speech" and not kind.startswith((b"application/json", b"text/html")):
            self.mode = "binary"
        elif endpoint.name.startswith("audio.") and kind.startswith((b"text/plain", b"application/x-subrip")):
            self.mode = "text"
        else:
            self.mode = "whole"

    def on_data(self, data: bytes) -> None:
        """A piece of the body."""
        if self.mode == "stream":
            self._arm_idle()
            self._on_stream(data)
        elif self.mode == "binary":
            self._arm_idle()
            held, self._parts = self._parts, [data]
            if held:
                self.accepted = True
                self._listener.attempt_frames(self, held[0])
        else:
            self._parts.append(data)
            self._bytes += len(data)
            if self._bytes > (MAX_ERROR_BYTES if self.mode == "error" else MAX_ANSWER_BYTES):
                self._abandon("garbage", "the answer is too large")

    def _arm_idle(self) -> None:
        # Once a chunk: the sweep, some times a second, turns it into a deadline.
        self.touched = True

    def late(self, now: float) -> bool:
        """Whether the deadline has passed; data that came since the last look moves it first."""
        if self.touched:
            self.touched = False
            if self._call is not None and (self.accepted or self.mode == "binary"):
                self.deadline = min(self._total_deadline, now + self._timeouts.idle_s)
        return self.deadline < now

    def _on_stream(self, data: bytes) -> None:
        sse, reader = self._sse, self.reader
        if sse is None or reader is None:
            return
        try:
            events = sse.feed(data)
        except EventTooLargeError as error:
            self._abandon("garbage", str(error))
            return
        out: list[bytes] = []
        for event in events:
            kind = reader.read(event)
            if kind == "last":
                self._send(out)
                self._finish(self._joined_held() + reader.out)
                return
            if kind in ("error", "garbage", "apart"):
                self._send(out)
                self._stream_failed(kind, reader)
                return
            if self.accepted:
                out.append(reader.out)
            else:
                self._held.append(reader.out)
                if kind == "content":
                    self.accepted = True
                    self.content_at = self._clock.monotonic()
                    out, self._held = self._held, []
        self._send(out)
        if reader.ending:
            self.deadline = min(self._total_deadline, self._clock.monotonic() + ENDING_S)

    def _said_all(self) -> bool:
        return self.mode == "stream" and self.reader is not None and self.reader.ending

    def _end_early(self) -> None:
        """The last event is there; that the body does not end, or breaks off, harms nobody."""
        reader = self.reader
        self.cancel()
        if reader is not None:
            self._listener.attempt_done(self, self._joined_held() + reader.rest() + self._tail())

    def _tail(self) -> bytes:
        """What has come of an event that never ended: passed on where the bytes pass, else nothing."""
        sse, codec = self._sse, self.codec
        return b"" if sse is None or (codec is not None and codec.translated) else sse.rest()

    def _joined_held(self) -> bytes:
        held, self._held = self._held, []
        return b"".join(held)

    def _send(self, out: list[bytes]) -> None:
        if out and (data := out[0] if len(out) == 1 else b"".join(out)):
            self._listener.attempt_frames(self, data)

    def _stream_failed(self, kind: str, reader: EventReader) -> None:
        if kind != "error":
            failure = failure_of_cause(kind, reader.error.decode("utf-8", "replace"))
        else:
            failure = failure_of_event(reader.error)
        failure.body = reader.out
        self.cancel()
        self._listener.attempt_failed(self, failure)

    def _finish(self, last: bytes) -> None:
        """Complete by the stream's own mark; the connection gets a moment to end its body and be reused."""
        self.ended_at = self._clock.monotonic()
        self.mode = "ended"
        self.deadline = self.ended_at + ENDING_S
        self._listener.attempt_done(self, last)

    def on_end(self) -> None:
        """The body is complete."""
        self._call = None
        if self.mode == "ended":
            self.deadline = FAR
            self._listener.attempt_released(self)
            return
        self.ended_at = self._clock.monotonic()
        self.deadline = FAR
        if self.mode == "whole" or (self.mode == "binary" and self.codec is not None):
            self._whole(b"".join(self._parts))
        elif self.mode == "error":
            self._error(b"".join(self._parts))
        elif self.mode == "stream" and self.reader is not None:
            self._stream_end(self.reader)
        else:
            self._listener.attempt_done(self, b"".join(self._parts))

    def _stream_end(self, reader: EventReader) -> None:
        """The stream ended without its mark: whole if a choice said why it finished, as some vendors do."""
        if reader.finish_reason:
            self._listener.attempt_done(self, self._joined_held() + reader.rest() + self._tail())
        else:
            self._listener.attempt_failed(
                self, failure_of_cause("cut", "the stream ended before its last event")
            )

    def _whole(self, body: bytes) -> None:
        read = read_whole(self.codec, body)
        if isinstance(read, Failure):
            self._listener.attempt_failed(self, read)
            return
        if isinstance(read, Answer):
            self.answer = read
        else:
            self.whole = read
            body = read.out
        self._listener.attempt_done(self, body)

    def _error(self, body: bytes) -> None:
        retry_after_s = parse_retry_after(self.headers.get(b"retry-after"), self._clock.now_ms() / 1000)
        error = self.codec.error(body) if self.codec is not None else read_error(body)
        self._listener.attempt_failed(self, failure_of_status(self.status, body, retry_after_s, error))

    def on_failure(self, cause: str, detail: str) -> None:
        """The connection failed."""
        self._call = None
        if self.mode == "ended":
            self.deadline = FAR
            self._listener.attempt_released(self)
            return
        if self._said_all():
            self._end_early()
            return
        self.ended_at = self._clock.monotonic()
        self.deadline = FAR
        if cause == "reset" and self.reused and not self.first_at:
            cause = "stale"
        self._listener.attempt_failed(self, failure_of_cause(cause, detail))

    def _abandon(self, cause: str, detail: str) -> None:
        self._fail(failure_of_cause(cause, detail))

    def _fail(self, failure: Failure) -> None:
        ended = self.mode == "ended"
        self.cancel()
        if ended:
            self._listener.attempt_released(self)
        else:
            self._listener.attempt_failed(self, failure)

    # --- what it told ----------------------------------------------------------------------------------

    @property
    def reached_upstream(self) -> bool:
        """Whether any byte of the request may have arrived."""
        return self.connected_at > 0
