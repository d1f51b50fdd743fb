"""Client and target speak different APIs: requests and answers meet in the pivot."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from penstock.core.chat import ChatReply, ChatRequest
from penstock.core.errors import ShapeError
from penstock.core.events import Broke, Frame
from penstock.core.forced_tool import Releasing, force, released
from penstock.core.losses import Losses, OnUnsupported, UnsupportedError
from penstock.core.recall import SpliceError
from penstock.core.splice import Heard, Splice, plain
from penstock.core.target import Target
from penstock.core.tool_names import vendor_names, with_names
from penstock.ports.translation import (
    Addressee,
    Asked,
    ChatDialect,
    ChatProvider,
    Framing,
    StreamDecoder,
    StreamEncoder,
)
from penstock.providers.anthropic.betas import bedrock_betas
from penstock.providers.paths import path_of
from penstock.shapes.openai import ErrorShape
from penstock.upstream.client_framing import ClientFraming
from penstock.upstream.codec import Framer, Kind
from penstock.upstream.fan_out import MAX_LEGS, LegFramer, legs_of
from penstock.upstream.framing import STREAM_TYPES, framer, opened
from penstock.upstream.going_on import GoingOn
from penstock.upstream.merged import MergedDecoder, merged_replies
from penstock.upstream.meter import Meter
from penstock.upstream.native_codec import PassedWhole, decode_object
from penstock.upstream.renamed import renamed_frame, renamed_reply
from penstock.upstream.vendor_error import check_answer, error_of, told_error

_encode = msgspec.json.Encoder().encode


class TranslatingReader(Meter):
    """Implements upstream.codec.EventReader: each event through the pivot into the client's dialect."""

    __slots__ = (
        "_decoder",
        "_ended",
        "_merged",
        "_upstream",
        "encoder",
        "error",
        "framing",
        "heard",
        "mark",
        "names",
        "out",
        "releasing",
        "splice",
    )

    def __init__(
        self,
        decoder: StreamDecoder,
        encoder: StreamEncoder,
        upstream: Framing,
        framing: ClientFraming,
        *,
        merged: bool,
    ) -> None:
        super().__init__()
        self._decoder = decoder
        self._upstream: Framing = upstream
        self._merged = merged
        self.releasing: Releasing | None = None
        self.names: dict[str, str] = {}
        self.encoder = encoder
        self.framing = framing
        # Set where the stream may be gone on with elsewhere, and where it goes on itself.
        self.heard: Heard | None = None
        self.splice: Splice | None = None
        self.mark = b""
        self._ended = False
        self.out = b""
        self.error = b""

    def read(self, event: bytes) -> Kind:
        """See EventReader."""
        leg = b""
        if self._merged:
            leg, _, event = event.partition(b" ")
        self.out = b""
        try:
            name, data = opened(self._upstream, event)
            if not data:
                return "neutral"
            if self._merged:
                data = leg + b" " + data
            frame: Frame = self._decoder.read(name, data)
        except ShapeError as error:
            self.error = f"an event of the stream cannot be read: {error}".encode()
            return "garbage"
        if self.names:
            frame = renamed_frame(frame, self.names)
        if self.releasing is not None:
            frame = self.releasing.frame(frame)
        kind = self.see(frame)
        if kind == "error":
            if self.broke is not None:
                self.error = told_error(self.broke)
            return kind
        return self._passed(frame, kind)

    def _passed(self, frame: Frame, kind: Kind) -> Kind:
        """Write a frame of this kind, unless it does not go on from what the client has."""
        try:
            self._write(frame)
        except SpliceError as error:
            self.error = str(error).encode()
            return "apart"
        if kind == "last":
            self.out += self.rest()
        return kind

    def _write(self, frame: Frame) -> None:
        if self.heard is not None:
            # The stream may be, or is, in two pieces.
            frame = plain(frame)
            if self.splice is not None:
                frame = self.splice.joined(frame)
            self.heard.add(frame)
        self.out = self.framing.frame(self.encoder.write(frame))
        if self.mark and self.out:
            self.out, self.mark = self.mark + self.out, b""

    def broken(self, error: Broke) -> bytes:
        """The client's stream ends with this error, whatever of it is open."""
        self._ended = True
        return self.framing.frame(self.encoder.fail(error)) + self.framing.close()

    @property
    def ending(self) -> bool:
        """See EventReader."""
        return bool(self.finish_reason) and not self._ended

    def rest(self) -> bytes:
        """See EventReader."""
        if self._ended:
            return b""
        self._ended = True
        return self.framing.frame(self.encoder.end()) + self.framing.close()


class TranslatedCodec:
    """Implements upstream.codec.Codec."""

    translated = True
    binary = False

    def __init__(
        self,
        chat: ChatRequest,
        asked: Asked,
        target: Target,
        dialect: ChatDialect,
        provider: ChatProvider,
        framing: ClientFraming,
        on_unsupported: OnUnsupported,
        api: str = "",
    ) -> None:
        # `api`: where the vendor serves the provider's shape, if not at the usual path (Claude on a cloud).
        self._api = api or provider.shape
        self._chat = chat
        self._asked = asked
        self._target = target
        self._dialect = dialect
        self._provider = provider
        self._framing = framing
        self._losses = Losses(on_unsupported)
        # Of a stream that may be gone on with elsewhere, or that goes on itself.
        self.resumable = False
        self.going_on: GoingOn | None = None
        self.betas = b""  # of a client of Anthropic's, as its header has them
        self._forced = (
            target.profile.schema == "tool" and chat.output is not None and chat.output.kind == "schema"
        )
        # A client of the vendor's own API is told what it allows by the vendor.
        own = chat.extras is not None and chat.extras.shape == provider.shape
        self._names = {} if own else vendor_names(chat, provider.names)
        self._back = {told: name for name, told in self._names.items()}
        self.legs = self._count_legs()
        self.content_type = b"application/json"
        self.stream_type = framing.content_type

    def _count_legs(self) -> int:
        """A vendor that gives one answer at a time is asked as often as answers are wanted."""
        wanted = self._chat.choices or 1
        if wanted == 1 or "choices" not in self._target.profile.lacks:
            return 1
        self._chat = replace(self._chat, choices=None)
        if wanted > MAX_LEGS:
            raise UnsupportedError(f"more than {MAX_LEGS} choices")
        return wanted if self._losses.map("choices") else 1

    def body(self, cap: int | None) -> bytes:
        """See Codec. Raises UnsupportedError."""
        chat = replace(self._chat, model=self._target.model)
        if self.going_on is not None:
            chat = self.going_on.request(chat, self._target)
        if cap is not None and (chat.max_output_tokens is None or chat.max_output_tokens > cap):
            chat = replace(chat, max_output_tokens=cap)
        if self._forced and self._losses.map("output.schema"):
            chat = force(chat)
        chat = with_names(chat, self._names)
        addressee = Addressee(self._target.model, self._target.profile, self._losses)
        body: dict[str, Any] = self._provider.encode_request(chat, addressee)
        clouds = self.betas and self._api == "bedrock.anthropic"
        if clouds and (betas := bedrock_betas(self.betas, self._losses)):
            body["anthropic_beta"] = betas
        for name, text in self._target.set_fields.items():
            body[name] = msgspec.Raw(text)
        return _encode(body)

    def path(self) -> bytes:
        """See Codec."""
        return path_of(self._api, self._target.model, stream=self._chat.stream)

    def streams(self, content_type: bytes) -> bool:
        """See Codec."""
        return content_type.startswith(STREAM_TYPES[self._provider.framing])

    def stream(self) -> tuple[Framer, TranslatingReader]:
        """See Codec."""
        framing, legs = self._provider.framing, self.legs
        decoder, cutter = self._provider.stream(), framer(framing)
        if legs > 1:
            decoder = MergedDecoder([self._provider.stream() for _ in range(legs)])
            cutter = LegFramer([framer(framing) for _ in range(legs)])
        going_on = self.going_on
        if going_on is None:
            encoder = self._dialect.stream(self._asked)
            reader = TranslatingReader(decoder, encoder, framing, self._framing, merged=legs > 1)
            reader.heard = Heard() if self.resumable and legs == 1 else None
        else:
            reader = TranslatingReader(decoder, going_on.encoder, framing, going_on.framing, merged=legs > 1)
            reader.heard = going_on.heard
            reader.splice = going_on.splice(self._chat, self._target)
            reader.mark = going_on.framing.comment(f"x-penstock-resumed: {self._target.id}")
        if self._forced:
            reader.releasing = Releasing(self._chat)
        reader.names = self._back
        return cutter, reader

    def whole(self, body: bytes) -> PassedWhole:
        """See Codec."""
        bodies = legs_of(body) if self.legs > 1 else [body]
        replies = [self._read(each) for each in bodies]
        reply = merged_replies(replies) if len(replies) > 1 else replies[0]
        if self._back:
            reply = renamed_reply(reply, self._back)
        if self._forced:
            reply = released(reply, self._chat)
        whole = PassedWhole(_encode(self._dialect.encode_reply(reply, self._asked)))
        whole.see_reply(reply)
        return whole

    def _read(self, body: bytes) -> ChatReply:
        value = decode_object(body)
        reply = self._provider.decode_reply(value)
        check_answer(self._provider.shape, value, reply, body)
        return reply

    def error(self, body: bytes) -> ErrorShape:
        """See Codec."""
        return error_of(self._api, body)

    def warning(self) -> str:
        """See Codec."""
        return self._losses.warning()
