"""A reply on its way: events whose fold (core/assemble.py) is the reply.

`choice` is the index of the answer, `index` the position of the part within it. A part begins with
PartStarted, whose part holds what is known at once (a tool call's id and name); deltas add to it; PartEnded may
be left out by shapes that do not say it. One wire event (an SSE event, a line, a binary message) becomes one
Frame, so that the encoder of the same shape can give back exactly the wire events that came.
"""

from __future__ import annotations

import msgspec

from penstock.core.chat import FinishReason, Logprobs, ReplyUsage
from penstock.core.parts import Citation, Extras, Part, Signature


class Started(msgspec.Struct, frozen=True, tag_field="kind", tag="started"):
    """The reply begins; fields that come later, or never, are empty."""

    id: str = ""
    model: str = ""
    created_s: int | None = None
    service_tier: str | None = None
    extras: Extras | None = None


class PartStarted(msgspec.Struct, frozen=True, tag_field="kind", tag="part_started"):
    """A part begins, with what is known of it; a part that comes whole has no deltas."""

    choice: int
    index: int
    part: Part
    extras: Extras | None = None


class TextDelta(msgspec.Struct, frozen=True, tag_field="kind", tag="text"):
    """More of a Text, Refused or Thinking part, or of an Audio part's transcript."""

    choice: int
    index: int
    text: str
    extras: Extras | None = None


class ArgumentsDelta(msgspec.Struct, frozen=True, tag_field="kind", tag="arguments"):
    """More of a tool call's arguments: a piece of JSON text, cut anywhere."""

    choice: int
    index: int
    text: str
    extras: Extras | None = None


class SignatureDelta(msgspec.Struct, frozen=True, tag_field="kind", tag="signature"):
    """The seal of the part, or, with `sealed`, a thinking part's encrypted content."""

    choice: int
    index: int
    signature: Signature
    sealed: bool = False
    extras: Extras | None = None


class CitationAdded(msgspec.Struct, frozen=True, tag_field="kind", tag="citation"):
    """The text part has one more source."""

    choice: int
    index: int
    citation: Citation
    extras: Extras | None = None


class AudioDelta(msgspec.Struct, frozen=True, tag_field="kind", tag="audio"):
    """More of an audio part's data, base64 that decodes on its own."""

    choice: int
    index: int
    data: str
    extras: Extras | None = None


class PartEnded(msgspec.Struct, frozen=True, tag_field="kind", tag="part_ended"):
    """The part is complete. `part` replaces what was gathered, where the shape repeats it in full."""

    choice: int
    index: int
    part: Part | None = None
    extras: Extras | None = None


class LogprobsAdded(msgspec.Struct, frozen=True, tag_field="kind", tag="logprobs"):
    """Log probabilities of the tokens that came with this frame."""

    choice: int
    logprobs: Logprobs
    extras: Extras | None = None


class ChoiceFinished(msgspec.Struct, frozen=True, tag_field="kind", tag="finished"):
    """This answer is complete, and why."""

    choice: int
    finish: FinishReason
    native: str = ""
    stop_sequence: str | None = None
    extras: Extras | None = None


class UsageReported(msgspec.Struct, frozen=True, tag_field="kind", tag="usage"):
    """The consumption so far; the last one of a stream is the whole."""

    usage: ReplyUsage
    extras: Extras | None = None


class Broke(msgspec.Struct, frozen=True, tag_field="kind", tag="broke"):
    """The vendor reports an error inside the stream; nothing follows. `status` is 0 where none is given."""

    message: str
    type: str = ""
    code: str = ""
    status: int = 0
    extras: Extras | None = None


class Ended(msgspec.Struct, frozen=True, tag_field="kind", tag="ended"):
    """The stream's own mark that nothing follows."""

    extras: Extras | None = None


Event = (
    Started | PartStarted | TextDelta | ArgumentsDelta | SignatureDelta | CitationAdded | AudioDelta | PartEnded
    | LogprobsAdded | ChoiceFinished | UsageReported | Broke | Ended
)  # fmt: skip


class Frame(msgspec.Struct, frozen=True):
    """One wire event, decoded: its name (an SSE event's type, a binary message's), and what it says.

    `events` may be empty (a ping, a comment, a vendor's own event, which stands whole in `extras`).
    """

    name: str = ""
    events: tuple[Event, ...] = ()
    extras: Extras | None = None
