"""Images, speech, transcripts and videos: a client of OpenAI's shapes, a vendor with an API of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.losses import Losses
from penstock.core.usage import Usage
from penstock.ports.media import Flow
from penstock.providers.media.errors import read_error
from penstock.shapes.openai import ErrorShape
from penstock.upstream.codec import EventReader, Framer
from penstock.upstream.fan_out import legs_of
from penstock.upstream.native_codec import PassedWhole


@dataclass(frozen=True, slots=True)
class MediaJob:
    """A client's request on its way to one target.

    `legs`: how many tasks it takes; `begin` gives the flow of the one at this index; `read` makes the client's
    answer of their replies. `binary`: the vendor's bytes are the answer.
    """

    begin: Callable[[int], Flow]
    read: Callable[[list[bytes]], tuple[bytes, Usage]]
    content_type: bytes = b"application/json"
    legs: int = 1
    binary: bool = False


class MediaCodec:
    """Implements upstream.codec.Codec; upstream/tasks.py makes its calls."""

    translated = True
    stream_type = b""

    def __init__(self, job: MediaJob, losses: Losses) -> None:
        self._job = job
        self._losses = losses
        self._begun = 0
        self.legs = job.legs
        self.binary = job.binary
        self.content_type = job.content_type

    def flow(self) -> Flow:
        """The next task."""
        self._begun += 1
        return self._job.begin(self._begun - 1)

    def body(self, cap: int | None) -> bytes:
        """See Codec: says what cannot be said to this target; the calls carry their own bodies."""
        del cap
        self._job.begin(0).first()
        return b""

    def path(self) -> bytes:
        """See Codec."""
        return b""

    def streams(self, content_type: bytes) -> bool:
        """See Codec."""
        del content_type
        return False

    def stream(self) -> tuple[Framer, EventReader]:
        """See Codec."""
        raise TypeError("media are not streamed as events")

    def whole(self, body: bytes) -> PassedWhole:
        """See Codec."""
        try:
            out, usage = self._job.read(legs_of(body) if self.legs > 1 else [body])
        except msgspec.DecodeError as error:
            raise ShapeError("the reply", f"one of ours ({error})") from None
        whole = PassedWhole(out)
        whole.usage = usage
        whole.finish_reason = "stop"
        return whole

    def error(self, body: bytes) -> ErrorShape:
        """See Codec."""
        return read_error(body)

    def warning(self) -> str:
        """See Codec."""
        return self._losses.warning()
