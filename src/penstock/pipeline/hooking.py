"""Asking a service of the user's for an answer: one signed POST, bounded in time and size.

The signature is that of Standard Webhooks 1.0.0, as alerts have it: `webhook-id`, `webhook-timestamp` and
`webhook-signature: v1,BASE64` over `ID.TIMESTAMP.BODY` (HMAC-SHA256).
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import msgspec

from penstock.core.hook import Hook
from penstock.pipeline.context import GatewayContext
from penstock.ports.clock import Timer
from penstock.ports.transport import Call
from penstock.routing.view import RequestView

FAILED = "webhook_failed"
MAX_ANSWER = 256 * 1024
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode
Answered = Callable[[str | None, str], None]
Posted = Callable[[bytes | None, str], None]


def question(hook: Hook, view: RequestView, attempts: int) -> bytes:
    """What the service is told: who asked for what, and nothing of the conversation unless it is configured."""
    facts, subject = view.facts, view.subject
    told: dict[str, object] = {
        "request_id": facts.request_id,
        "route": facts.route,
        "dialect": facts.dialect,
        "endpoint": facts.endpoint,
        "org": subject.org,
        "team": subject.team,
        "user": subject.user,
        "key": subject.key,
        "session": facts.session,
        "tags": facts.tags,
        "attempts": attempts,
    }
    if hook.prompt:
        told["prompt"] = view.prompt
    return _encode(told)


def head_of(hook: Hook, body: bytes, message_id: str, at_s: int) -> bytes:
    """The request line and the headers of the POST."""
    lines = [
        b"POST %b HTTP/1.1" % hook.path,
        b"host: %b" % hook.origin.authority,
        b"content-type: application/json",
        b"content-length: %d" % len(body),
        b"accept-encoding: identity",
        b"user-agent: penstock",
    ]
    if hook.key:
        signed = f"{message_id}.{at_s}.".encode() + body
        signature = base64.b64encode(hmac.digest(hook.key, signed, hashlib.sha256))
        lines += [
            b"webhook-id: %b" % message_id.encode(),
            b"webhook-timestamp: %d" % at_s,
            b"webhook-signature: v1,%b" % signature,
        ]
    return b"\r\n".join([*lines, b"", b""])


class PostCall:
    """Implements ports.transport.ResponseHandler; `done` is called once, with the body or why there is none.

    `why` is one of `late`, `too_large`, `unreachable` and `status_N`.
    """

    __slots__ = ("_body", "_call", "_ctx", "_done", "_status", "_timer")

    def __init__(self, ctx: GatewayContext, done: Posted) -> None:
        self._ctx = ctx
        self._done: Posted | None = done
        self._status = 0
        self._body = b""
        self._call: Call | None = None
        self._timer: Timer | None = None

    def ask(self, hook: Hook, body: bytes, message_id: str, timeout_s: float) -> None:
        """Post it."""
        ctx = self._ctx
        self._timer = ctx.clock.call_later(timeout_s, self._late)
        head = head_of(hook, body, message_id, ctx.clock.now_ms() // 1000)
        call = ctx.transport.send(hook.origin, head + body, self, timeout_s)
        if self._done is not None:
            self._call = call

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self._done = None
        self._end()

    def _late(self) -> None:
        self._finish(None, "late")

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _finish(self, body: bytes | None, why: str) -> None:
        done, self._done = self._done, None
        self._end()
        if done is not None:
            done(body, why)

    def on_connected(self, *, reused: bool) -> None:
        """See ports.transport."""

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ports.transport."""
        del headers
        self._status = status

    def on_data(self, data: bytes) -> None:
        """See ports.transport."""
        self._body += data
        if len(self._body) > MAX_ANSWER:
            self._finish(None, "too_large")

    def on_end(self) -> None:
        """See ports.transport."""
        self._call = None
        if self._status != 200:
            self._finish(None, f"status_{self._status}")
        else:
            self._finish(self._body, "")

    def on_failure(self, cause: str, detail: str) -> None:
        """See ports.transport."""
        del cause, detail
        self._call = None
        self._finish(None, "unreachable")


_WHY = {
    "late": "the webhook did not answer in time",
    "too_large": f"the webhook answered with more than {MAX_ANSWER} bytes",
    "unreachable": "the webhook could not be asked",
}


class HookCall(PostCall):
    """Asks a webhook for an answer; `done` is called once, with the text or why there is none."""

    __slots__ = ()

    def __init__(self, ctx: GatewayContext, done: Answered) -> None:
        def posted(body: bytes | None, why: str) -> None:
            if body is None:
                told = _WHY.get(why) or f"the webhook answered with status {why.removeprefix('status_')}"
                done(None, told)
                return
            try:
                text = _text(_decode(body)["text"])
            except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
                done(None, 'the webhook did not answer with {"text": "…"}')
            else:
                done(text, "")

        super().__init__(ctx, posted)
