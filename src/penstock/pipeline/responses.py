"""An exchange of the Responses API: whose answer it goes on from, and to whom its own belongs.

Towards a vendor that has this API the vendor keeps the answer, and we keep whose it is. Towards any other we
keep the conversation, and write it out before the request is put into the vendor's words. The record stands
before the answer's last bytes go out, so that every process knows an id as soon as its client can use it.
"""

from __future__ import annotations

import msgspec

from penstock.admission.accounts import Allowance
from penstock.core.errors import Refusal
from penstock.core.exchange import AttemptFacts, RequestFacts, Subject
from penstock.core.plan import Route, VirtualKey
from penstock.core.target import Target
from penstock.dialects.named_ids import Named
from penstock.dialects.openai.endpoints import OWNED
from penstock.dialects.openai_responses.stored import joined
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.owning import ID, OwningExchange, in_response, is_item, may_keep, nothing
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.owned import Owned
from penstock.shapes.openai_request import OpenAIRequest
from penstock.shapes.openai_responses.kept import (
    first_response,
    handed_out,
    head_of,
    kept_text,
    last_response,
    read_kept,
)
from penstock.upstream.attempt import Attempt
from penstock.wire.json_fields import scan

MAX_KEPT_BYTES = 32_000_000
SHAPE = "openai.responses"
_text_or_null = msgspec.json.Decoder(str | None).decode
_decode = msgspec.json.Decoder(dict[str, object]).decode
_encode = msgspec.json.Encoder().encode
_NOT_SAID = (b"null", b"false")


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


class ResponsesExchange(OwningExchange):
    """An exchange that goes on from an earlier answer, or whose answer is kept, or both."""

    __slots__ = ("_keeps", "_kept", "_previous")

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
        named: list[Named],
        previous: str,
    ) -> None:
        """`previous` is the id that the request goes on from, empty for none."""
        super().__init__(ctx, http, reply, request, route, key, subject, allowance, facts, named)
        self._previous = previous
        self._keeps = keeps(request)
        self._kept = False

    @property
    def recorded(self) -> bool:
        """See Preparing."""
        return True

    def start(self) -> None:
        """Begin; where an earlier answer is named, once it is known."""
        if not self._previous:
            super().start()
            return
        self._begin()
        self.reply.listener = self
        self._ctx.owned.find(self.subject.org, self._previous, self._found, self._lost)

    def _found(self, record: Owned | None) -> None:
        if self._ended:
            return  # the client hung up in the meantime
        self._guarded(lambda: self._go_on(record))
        if not self._ended:
            self._ask()

    def _go_on(self, record: Owned | None) -> None:
        """Narrow the route to whom the vendor's id means something, or write the conversation out."""
        if record is None or is_item(record):
            raise unknown(self._previous)
        if record.kept:
            self._write_out(record)
        else:
            self._request.resumable = False  # what came before is the vendor's alone
            self._pin(self._previous, record)

    def _write_out(self, record: Owned) -> None:
        fields = self._request.fields
        if fields is not None:
            earlier = read_kept(record.kept)
            body = joined({"input": earlier.input}, earlier.response, _decode(fields.body))
            self._rewrite(_encode(body), self._previous)

    # --- the answer -------------------------------------------------------------------------------------

    def _begin_stream(self, attempt: Attempt, data: bytes) -> None:
        """Stream on; the id of an answer in the background is of use before the stream ends."""
        if self._keeps and not self._kept:
            head = first_response(data) if self._is_theirs(attempt.target) else b""
            if head and head_of(head).background:
                for record in self._records_of(attempt.target, head):
                    self._kept = True
                    self._ctx.owned.keep(record, nothing)
        super()._begin_stream(attempt, data)

    def _complete(self, attempt: Attempt, last: bytes, facts: AttemptFacts | None) -> None:
        """A whole answer."""
        if self._keeps:
            response = last if attempt.reader is None else last_response(last)
            self._records = self._records_of(attempt.target, response)
        super()._complete(attempt, last, facts)

    def _is_theirs(self, target: Target) -> bool:
        """Whether the vendor keeps the answer, and its ids are the vendor's own."""
        return is_native(target) and not self._request.resumable

    def _records_of(self, target: Target, response: bytes) -> list[Owned]:
        """The records of what an answer hands out, itself last; none where nobody keeps it."""
        head = head_of(response)
        if head.store is False or ID.fullmatch(head.id) is None:
            return []
        kept = inside = b""
        if not self._is_theirs(target):
            fields = self._request.fields
            kept = kept_text(fields.raw.get("input") if fields is not None else None, response)
            inside = in_response(head.id)
            if len(kept) > MAX_KEPT_BYTES:
                return []
        names = [name for name in handed_out(response) if ID.fullmatch(name) is not None]
        items = [self._record(target, name, inside) for name in names]
        return [*items, self._record(target, head.id, kept)]


def is_native(target: Target) -> bool:
    """Whether the vendor has the Responses API, and keeps answers itself."""
    return SHAPE in target.speaks
