"""An exchange of the Responses API: whose answer it goes on from, and to whom its own belongs.

Towards a vendor that has this API the vendor keeps the answer, and we keep whose it is. Towards any other we
keep the conversation, and write it out before the request is put into the vendor's words. The record stands
before the answer's last bytes go out, so that every process knows an id as soon as its client can use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from penstock.admission.accounts import Allowance
from penstock.core.errors import Refusal, ShapeError
from penstock.core.exchange import AttemptFacts, Outcome, RequestFacts, Subject
from penstock.core.plan import Route, Target, VirtualKey
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import OWNED
from penstock.dialects.openai_responses.stored import joined
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.exchange import Exchange
from penstock.pipeline.translation import chat_of
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.owned import Owned
from penstock.providers.openai.errors import Failure
from penstock.routing.pin import pinned
from penstock.routing.policies import cursor_for
from penstock.shapes.openai_request import OpenAIRequest
from penstock.shapes.openai_responses.kept import (
    first_response,
    head_of,
    kept_text,
    last_response,
    read_kept,
)
from penstock.upstream.attempt import Attempt
from penstock.wire.json_fields import scan

KEEP_MS = 30 * 24 * 3_600_000
MAX_KEPT_BYTES = 32_000_000
SHAPE = "openai.responses"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=~-]{0,255}")
_text_or_null = msgspec.json.Decoder(str | None).decode
_decode = msgspec.json.Decoder(dict[str, object]).decode
_encode = msgspec.json.Encoder().encode
_NOT_SAID = (b"null", b"false")


def may_keep(route: Route) -> bool:
    """Whether anything of an answer on this route may be kept beyond it, here or at a vendor.

    Rules about retention, once there are any, are asked here.
    """
    return route.keeps_responses


def unknown(name: str) -> Refusal:
    """The same words whether the id does not exist or is somebody else's."""
    return Refusal(
        "unknown_response",
        f"no response {name[:64]!r} is known here; it may have expired, been deleted, or never been kept",
    )


def check(request: OpenAIRequest, route: Route) -> str:
    """The id that the request goes on from, empty for none. Raises Refusal.

    Where nothing may be kept, the request is changed to say so.
    """
    fields = request.fields
    raw = fields.raw if fields is not None else {}
    if raw.get("conversation", b"null") != b"null":
        raise Refusal(
            "unknown_response",
            "conversations are not served here, so that none is yours: send previous_response_id, or all items",
            param="conversation",
        )
    try:
        previous = _text_or_null(raw.get("previous_response_id", b"null")) or ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal(
            "invalid_type", "previous_response_id must be a string", param="previous_response_id"
        ) from None
    if fields is None or may_keep(route):
        return previous
    if previous:
        raise Refusal(
            "responses_store_off",
            f"the route {route.name!r} keeps no responses (responses_store: off), so there is none to go on "
            "from; send the whole conversation as input",
            param="previous_response_id",
        )
    if request.endpoint.name == "responses":
        if raw.get("background", b"null") not in _NOT_SAID:
            raise Refusal(
                "responses_store_off",
                f"the route {route.name!r} keeps no responses (responses_store: off), so that an answer in the "
                "background could never be fetched; leave `background` out",
                param="background",
            )
        if raw.get("store") != b"false":
            request.fields = scan(fields.patch({"store": b"false"}), OWNED)
    return ""


def keeps(request: OpenAIRequest) -> bool:
    """Whether the answer is to be kept."""
    fields = request.fields
    return request.endpoint.name == "responses" and fields is not None and fields.raw.get("store") != b"false"


class ResponsesExchange(Exchange):
    """An exchange that goes on from an earlier answer, or whose answer is kept, or both."""

    __slots__ = ("_keeps", "_kept", "_previous", "_record")

    def __init__(
        self,
        ctx: GatewayContext,
        http: HttpRequest,
        reply: Reply,
        request: OpenAIRequest,
        route: Route,
        key: VirtualKey,
        subject: Subject,
        allowance: Allowance,
        facts: RequestFacts,
        previous: str,
    ) -> None:
        """`previous` is the id that the request goes on from, empty for none."""
        super().__init__(ctx, http, reply, request, route, key, subject, allowance, facts)
        self._previous = previous
        self._keeps = keeps(request)
        self._record: Owned | None = None
        self._kept = False

    def start(self) -> None:
        """Begin; where an earlier answer is named, once it is known."""
        if not self._previous:
            super().start()
            return
        self._begin()
        self.reply.listener = self
        self._ctx.owned.find(self.subject.org, self._previous, self._found, self._lost)

    def _lost(self, detail: str) -> None:
        if not self._ended:
            self._fail(Failure("owned", "responses_unavailable", 0, f"{detail}; try again"))

    def _found(self, record: Owned | None) -> None:
        if self._ended:
            return  # the client hung up in the meantime
        try:
            if record is None:
                raise unknown(self._previous)  # noqa: TRY301 - answered where all refusals are
            self._go_on(record)
        except Refusal as refusal:
            self._fail(Failure("owned", refusal.code, 0, str(refusal)))
        except Exception:
            self._fail(Failure("owned", "internal_error", 0, "the gateway failed on this request"))
            raise
        else:
            self._advance(None)

    def _go_on(self, record: Owned) -> None:
        """Narrow the route to whom the vendor's id means something, or write the conversation out."""
        if record.kept:
            self._write_out(record)
            return
        route = pinned(self._route, record.target, record.provider)
        if route is None:
            raise Refusal(
                "response_elsewhere",
                f"the response is kept by {record.target}, which the route {self._route.name!r} does not "
                "lead to; name a model that does, or send the whole conversation as input",
            )
        self._route = route
        self._cursor = cursor_for(route.policy, route.retry, self._ctx.share_of(route.name))

    def _write_out(self, record: Owned) -> None:
        request = self._request
        fields = request.fields
        if fields is None:
            return
        try:
            earlier = read_kept(record.kept)
            body = _encode(joined({"input": earlier.input}, earlier.response, _decode(fields.body)))
            whole = decode(request.endpoint, body, b"")
            request.fields, request.prompt_chars = whole.fields, whole.prompt_chars
            if request.endpoint.task == "chat":
                request.chat = msgspec.structs.replace(chat_of(request), previous_response_id=self._previous)
        except (ShapeError, msgspec.DecodeError) as error:
            raise Refusal("invalid_type", str(error)) from None

    # --- the answer -------------------------------------------------------------------------------------

    def attempt_frames(self, attempt: Attempt, data: bytes) -> None:
        """Stream on; the id of an answer in the background is of use before the stream ends."""
        if self._keeps and not self._kept and not self._ended and not self._answering.started:
            head = first_response(data) if _is_native(attempt.target) else b""
            if head and head_of(head).background:
                record = self._record_of(attempt.target, head)
                if record is not None:
                    self._kept = True
                    self._ctx.owned.keep(record, _nothing)
        super().attempt_frames(attempt, data)

    def attempt_done(self, attempt: Attempt, last: bytes) -> None:
        """A whole answer."""
        if self._keeps and not self._kept and not self._ended:
            response = last if attempt.reader is None else last_response(last)
            self._record = self._record_of(attempt.target, response)
        super().attempt_done(attempt, last)

    def _record_of(self, target: Target, response: bytes) -> Owned | None:
        """The record of an answer; None for one that nobody keeps, or that cannot be read."""
        head = head_of(response)
        if head.store is False or _ID.fullmatch(head.id) is None:
            return None
        kept = b""
        if not _is_native(target):
            fields = self._request.fields
            kept = kept_text(fields.raw.get("input") if fields is not None else None, response)
            if len(kept) > MAX_KEPT_BYTES:
                return None
        now_ms = self._ctx.clock.now_ms()
        subject = self.subject
        return Owned(
            subject.org,
            head.id,
            subject.key,
            subject.user,
            target.id,
            target.provider,
            now_ms,
            now_ms + KEEP_MS,
            kept,
        )

    def _settle(
        self,
        outcome: Outcome,
        status: int,
        code: str,
        last: AttemptFacts | None,
        then: Callable[[], None] | None,
        size: int = 0,
    ) -> None:
        """Write the exchange down, then the record; then the last bytes go out."""
        record = self._record
        if record is not None and then is not None:
            owned, finish = self._ctx.owned, then
            super()._settle(outcome, status, code, last, lambda: owned.keep(record, finish), size)
            return
        super()._settle(outcome, status, code, last, then, size)


def _is_native(target: Target) -> bool:
    """Whether the vendor has the Responses API, and keeps answers itself."""
    return SHAPE in target.speaks


def _nothing() -> None:
    """Nobody waits for this record."""
