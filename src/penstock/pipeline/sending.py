"""An attempt's request: put into the target's words, and sent."""

from __future__ import annotations

from typing import Final

from penstock.core.errors import Refusal
from penstock.core.exchange import RequestFacts
from penstock.core.losses import OnUnsupported, UnsupportedError
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.media import MEDIA_TASKS, Sealer, media_codec_for
from penstock.pipeline.translation import codec_for
from penstock.ports.http_server import HttpRequest
from penstock.ports.transport import Transport
from penstock.providers.openai.errors import Failure
from penstock.providers.openai.request import body_for, head_for
from penstock.upstream.attempt import Attempt
from penstock.upstream.codec import Codec
from penstock.upstream.credentials import authorization
from penstock.upstream.fan_out import FanOut
from penstock.upstream.media_codec import MediaCodec
from penstock.upstream.tasks import Tasks
from penstock.upstream.translated_codec import TranslatedCodec

# How long clients wait, by their SDKs' own word: OpenAI's for Python, Anthropic's, OpenAI's for JavaScript.
_PATIENCE: Final = (b"x-stainless-read-timeout", b"x-stainless-timeout")
FOR_EVER_S: Final = float("inf")


def patience_s(headers: dict[bytes, bytes]) -> float:
    """Seconds for which the client waits for an answer to begin; infinite where it does not say."""
    least = FOR_EVER_S
    for name in _PATIENCE:
        value = headers.get(name)
        if value is not None:
            try:
                seconds = float(value)
            except ValueError:
                continue
            if 0.0 < seconds < least:
                least = seconds
    return least


def encode(
    attempt: Attempt,
    cap: int | None,
    facts: RequestFacts,
    http: HttpRequest,
    policy: OnUnsupported,
    seal: Sealer,
) -> Failure | None:
    """Put the request into the target's words; the failure where it cannot be said in them."""
    try:
        codec: Codec | None
        if attempt.request.endpoint.task in MEDIA_TASKS:
            codec = media_codec_for(attempt.request, attempt.target, facts, policy, seal)
        else:
            codec = codec_for(attempt.request, attempt.target, facts, http.query, policy)
        if isinstance(codec, TranslatedCodec):
            codec.betas = http.headers.get(b"anthropic-beta", b"")
        if codec is not None:
            attempt.codec = codec
            attempt.body = codec.body(cap)
    except UnsupportedError as error:
        return Failure("unsupported", "unsupported_parameter", 0, f"{attempt.target.id}: {error}")
    except Refusal as refusal:
        return Failure("unsupported", refusal.code, 0, str(refusal))
    except Exception as error:  # noqa: BLE001 - a translator's defect costs one answer, and is told as ours
        return defect(error, attempt.target.id)
    return None


def defect(error: Exception, target: str) -> Failure:
    """The failure that an exception in a translator is."""
    what = f"{type(error).__name__}: {error}"[:200]
    return Failure("internal", "internal_error", 0, f"putting the request into {target}'s words failed: {what}")


def send(
    ctx: GatewayContext, http: HttpRequest, attempt: Attempt, cap: int | None, request_id: str
) -> Failure | None:
    """Send the attempt's request; `cap` is the output bound that its reservation stands on.

    The failure where nothing authorises it; then nothing is sent.
    """
    request, target, codec = attempt.request, attempt.target, attempt.codec
    transport: Transport = ctx.transport
    if isinstance(codec, MediaCodec):
        transport = Tasks(transport, ctx.clock, ctx.tasks, target, codec.flow, request_id)
        attempt.start(FanOut(transport, codec.legs) if codec.legs > 1 else transport, b"")
        return None
    if codec is not None:
        body = attempt.body
        path, query, content_type = codec.path(), target.query, b"application/json"
    else:
        body = body_for(request, target, cap)
        path, query = request.endpoint.path.removeprefix("/v1").encode(), target.query or http.query
        content_type = http.headers.get(b"content-type", b"") if request.form is not None else b""
    signing, signed = target.signing, b""
    if signing is not None:
        now_ms = ctx.clock.now_ms()
        credential = ctx.credentials.current(signing, now_ms)
        if credential is None:
            return ctx.credentials.missing(signing)
        content_type = content_type or b"application/json"
        whole = target.base_path + path
        signed = authorization(target, signing, credential, whole, query, content_type, body, now_ms)
    head = head_for(target, path, query, len(body), content_type, http.headers, request_id.encode(), signed)
    if codec is not None and codec.legs > 1:
        transport = FanOut(transport, codec.legs)
    attempt.start(transport, head + body)
    return None
