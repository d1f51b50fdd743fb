"""Images, speech, transcripts and videos: which vendor's API answers, and what stands in a video's id."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import msgspec

from penstock.core.errors import Refusal, ShapeError
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.losses import Losses, OnUnsupported
from penstock.core.media import ImageReply, SpeechReply, TranscriptReply, VideoTask, VideoTicket
from penstock.core.target import Target
from penstock.core.usage import Usage
from penstock.dialects.media import images, speech, transcripts, videos
from penstock.pipeline.translation import body_of
from penstock.ports.media import Flow
from penstock.ports.secrets import SecretBox, UnsealError
from penstock.ports.translation import Addressee
from penstock.providers.registry import image_api, speech_api, transcript_api, video_api
from penstock.shapes.openai_request import OpenAIRequest
from penstock.upstream.fan_out import MAX_LEGS
from penstock.upstream.media_codec import MediaCodec, MediaJob

MEDIA_TASKS = frozenset({"image", "speech", "transcript", "video"})
VIDEOS = "/v1/videos/"
Sealer = Callable[[VideoTask, str, str], bytes]
_PREFIX = "video_"
# Sealed with the secrets' key: what stands before it keeps one from being taken for the other.
_PURPOSE = b"penstock video 1\n"
_decode_images = msgspec.json.Decoder(ImageReply).decode
_decode_speech = msgspec.json.Decoder(SpeechReply).decode
_decode_transcript = msgspec.json.Decoder(TranscriptReply).decode
_decode_video = msgspec.json.Decoder(VideoTask).decode
_decode_ticket = msgspec.msgpack.Decoder(VideoTicket).decode
_decode_setting = msgspec.json.Decoder().decode


def media_codec_for(
    request: OpenAIRequest, target: Target, facts: RequestFacts, policy: OnUnsupported, seal: Sealer
) -> MediaCodec:
    """The codec for a target whose vendor has an API of its own. Raises Refusal."""
    losses = Losses(policy)
    to = Addressee(target.model, target.profile, losses)
    if request.stream:
        what = f"{target.id} does not stream {request.endpoint.name}; leave the stream out"
        raise Refusal("unsupported_parameter", what, param="stream")
    settings = {name: _decode_setting(text) for name, text in target.set_fields.items()}
    task = request.endpoint.task
    try:
        if task == "image":
            job = _image_job(request, target, facts, to, settings)
        elif task == "speech":
            job = _speech_job(request, target, to, settings)
        elif task == "transcript":
            job = _transcript_job(request, target, to, settings)
        else:
            job = _video_job(request, target, to, settings, seal)
    except ShapeError as error:
        raise Refusal("invalid_type", str(error), param=error.where or None) from None
    if job is None:
        raise Refusal("unsupported_endpoint", f"{target.id} does not serve {request.endpoint.name}")
    return MediaCodec(job, losses)


def _image_job(
    request: OpenAIRequest, target: Target, facts: RequestFacts, to: Addressee, settings: dict[str, Any]
) -> MediaJob | None:
    api = image_api(target.media_api)
    if api is None:
        return None
    wish = images.decode_request(body_of(request) | settings, target.model, to.losses)
    legs = -(-wish.count // api.most)
    if legs > MAX_LEGS:
        raise ShapeError("n", f"at most {MAX_LEGS * api.most} for this target")
    each, more = divmod(wish.count, legs)

    def begin(leg: int) -> Flow:
        return api.flow(msgspec.structs.replace(wish, count=each + (leg < more)), to)

    def read(bodies: list[bytes]) -> tuple[bytes, Usage]:
        replies = [_decode_images(body) for body in bodies]
        made = sum([reply.usage.images for reply in replies])
        out = images.encode_reply(replies, facts.ts_ms // 1000)
        return out, Usage(requests=len(replies), images=made)

    return MediaJob(begin, read, legs=legs)


def _speech_job(
    request: OpenAIRequest, target: Target, to: Addressee, settings: dict[str, Any]
) -> MediaJob | None:
    api = speech_api(target.media_api)
    if api is None:
        return None
    wish = speech.decode_request(body_of(request) | settings, target.model, api.formats, to.losses)
    kind = speech.TYPES[wish.file_format]
    characters = len(wish.text)
    if api.flow(wish, to).first().passes:
        return MediaJob(
            lambda _leg: api.flow(wish, to),
            lambda bodies: (bodies[0], Usage(requests=1, characters=characters)),
            kind,
            binary=True,
        )

    def read(bodies: list[bytes]) -> tuple[bytes, Usage]:
        reply = _decode_speech(bodies[0])
        try:
            made = base64.b64decode(reply.base64, validate=True)
            return made, msgspec.structs.replace(reply.usage, characters=characters)
        except binascii.Error:
            raise ShapeError("the audio", "base64") from None

    return MediaJob(lambda _leg: api.flow(wish, to), read, kind)


def _transcript_job(
    request: OpenAIRequest, target: Target, to: Addressee, settings: dict[str, Any]
) -> MediaJob | None:
    api = transcript_api(target.media_api)
    if api is None or request.form is None:
        return None
    wish, form = transcripts.decode_request(request.form, settings, target.model, to.losses)

    def read(bodies: list[bytes]) -> tuple[bytes, Usage]:
        reply = _decode_transcript(bodies[0])
        return transcripts.encode_reply(reply, form), reply.usage

    return MediaJob(lambda _leg: api.flow(wish, to), read, form.content_type)


def _video_job(
    request: OpenAIRequest, target: Target, to: Addressee, settings: dict[str, Any], seal: Sealer
) -> MediaJob | None:
    api = video_api(target.media_api)
    if api is None:
        return None
    body = videos.body_of_form(request.form) if request.form is not None else body_of(request)
    wish = videos.decode_request(body | settings, target.model)
    seconds = str(wish.seconds or "")
    size = f"{wish.size[0]}x{wish.size[1]}" if wish.size is not None else ""

    def read(bodies: list[bytes]) -> tuple[bytes, Usage]:
        task = _decode_video(bodies[0])
        return seal(task, seconds, size), task.usage

    return MediaJob(lambda _leg: api.create(wish, to), read)


def sealer(box: SecretBox | None, subject: Subject, target: Target, facts: RequestFacts) -> Sealer:
    """What makes a client's video of a vendor's task: its id says, sealed, whose it is and where."""

    def seal(task: VideoTask, seconds: str, size: str) -> bytes:
        if box is None:
            raise ShapeError("the gateway", "one with a key that seals ids")
        ticket = VideoTicket(
            subject.org, subject.key, target.id, task.id, facts.model, facts.ts_ms // 1000, seconds, size
        )
        sealed = box.seal(_PURPOSE + msgspec.msgpack.encode(ticket))
        video_id = _PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        return videos.encode_video(video_id, ticket, task)

    return seal


def ticket_of(box: SecretBox | None, video_id: str, subject: Subject) -> VideoTicket:
    """What stands in a video's id, for its owner alone. Raises Refusal."""
    text = video_id.removeprefix(_PREFIX)
    try:
        plain = box.unseal(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) if box is not None else b""
        ticket = _decode_ticket(plain.removeprefix(_PURPOSE)) if plain.startswith(_PURPOSE) else None
    except (UnsealError, ValueError, msgspec.DecodeError):
        ticket = None
    if ticket is None or (ticket.org, ticket.key) != (subject.org, subject.key):
        raise Refusal("unknown_video", "this key has no video with this id")
    return ticket
