"""An exchange whose request names what somebody keeps, or whose answer hands out such names.

Each name is looked up before any vendor hears of it: one that the caller's organisation does not own is a 404,
one that it owns leads to who issued it. What an answer hands out is on record before its last bytes go out.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from penstock.admission.accounts import Allowance
from penstock.core.errors import Refusal, ShapeError
from penstock.core.exchange import AttemptFacts, Outcome, RequestFacts, Subject
from penstock.core.plan import Route, VirtualKey
from penstock.core.target import Target
from penstock.dialects.named_ids import Named, unknown_id
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai_responses.stored import with_items
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.exchange import Exchange
from penstock.pipeline.translation import chat_of
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.owned import Owned
from penstock.providers.openai.errors import Failure
from penstock.routing.pin import pinned
from penstock.shapes.anthropic.container import containers_in
from penstock.shapes.openai_request import OpenAIRequest
from penstock.shapes.openai_responses.kept import item_of, read_kept
from penstock.upstream.attempt import Attempt

KEEP_MS = 30 * 24 * 3_600_000
# The record of an item that we keep ourselves says in which response it stands.
_IN = b"@"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=~-]{0,255}")
_LOOKED_UP = ("item", "container")
_decode = msgspec.json.Decoder(dict[str, object]).decode
_encode = msgspec.json.Encoder().encode


def may_keep(route: Route) -> bool:
    """Whether anything of an answer on this route may be kept beyond it, here or at a vendor.

    Rules about retention, once there are any, are asked here.
    """
    return route.keeps_responses


def check_named(named: list[Named]) -> None:
    """Refuse names of what is not kept here at all. Raises Refusal."""
    for each in named:
        if each.kind not in _LOOKED_UP or ID.fullmatch(each.id) is None:
            raise unknown_id(each)


def hands_out(request: OpenAIRequest, route: Route) -> bool:
    """Whether an answer in Anthropic's dialect may name a container, which a later request goes on with."""
    fields = request.fields
    return (
        request.endpoint.shape == "anthropic"
        and fields is not None
        and may_keep(route)
        and (b"code_execution" in fields.body or "container" in fields.raw)
    )


def is_item(record: Owned) -> bool:
    """Whether it is the record of an item of an answer that we keep."""
    return record.kept.startswith(_IN)


class OwningExchange(Exchange):
    """See the module."""

    __slots__ = ("_answers", "_asked", "_issuer", "_items", "_named", "_records")

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
    ) -> None:
        """`named` are the ids that the request names, each once."""
        super().__init__(ctx, http, reply, request, route, key, subject, allowance, facts)
        self._named = named
        self._asked = 0
        self._issuer = ""
        self._items: dict[str, dict[str, object]] = {}
        self._records: list[Owned] = []

    @property
    def recorded(self) -> bool:
        """See Preparing."""
        return bool(self._named) or hands_out(self._request, self._route)

    def start(self) -> None:
        """Begin; where something is named, once it is known."""
        if not self._named:
            super().start()
            return
        self._begin()
        self.reply.listener = self
        self._ask()

    # --- what the request names -------------------------------------------------------------------------

    def _ask(self) -> None:
        """Look the next name up; begin after the last one."""
        if self._asked == len(self._named):
            self._guarded(self._resolve)
            if not self._ended:
                self._prepare()
            return
        self._ctx.owned.find(self.subject.org, self._named[self._asked].id, self._told, self._lost)

    def _lost(self, detail: str) -> None:
        if not self._ended:
            self._fail(Failure("owned", "responses_unavailable", 0, f"{detail}; try again"))

    def _told(self, record: Owned | None) -> None:
        if self._ended:
            return  # the client hung up in the meantime
        name = self._named[self._asked]
        if record is not None and is_item(record):
            whole = record.kept[len(_IN) :].decode()
            self._ctx.owned.find(self.subject.org, whole, self._read, self._lost)
            return
        self._guarded(lambda: self._own(name, record))
        self._next()

    def _next(self) -> None:
        if not self._ended:
            self._asked += 1
            self._ask()

    def _read(self, record: Owned | None) -> None:
        """The conversation in which the item stands."""
        if self._ended:
            return
        name = self._named[self._asked]
        self._guarded(lambda: self._take(name, record))
        self._next()

    def _take(self, name: Named, record: Owned | None) -> None:
        item = item_of(read_kept(record.kept), name.id) if record is not None and record.kept else None
        if item is None:
            raise unknown_id(name)
        self._items[name.id] = item

    def _own(self, name: Named, record: Owned | None) -> None:
        if record is None or record.kept:
            raise unknown_id(name)
        if self._issuer and record.provider != self._issuer:
            raise Refusal(
                "response_elsewhere", f"{name.id[:96]!r} and what else is named stand at two providers"
            )
        self._pin(name.id, record)

    def _pin(self, name: str, record: Owned) -> None:
        """Narrow the route to whom the vendor's id means something. Raises Refusal."""
        route = pinned(self._route, record.target, record.provider)
        if route is None:
            raise Refusal(
                "response_elsewhere",
                f"{name[:96]!r} is kept by {record.target}, which the route {self._route.name!r} does not "
                "lead to; name a model that does, or send the whole conversation as input",
            )
        self._issuer = record.provider
        self._follow(route)

    def _resolve(self) -> None:
        """Write the items out that only we know. Raises Refusal."""
        fields = self._request.fields
        if self._items and fields is not None:
            self._rewrite(_encode(with_items(_decode(fields.body), self._items)), None)

    def _rewrite(self, body: bytes, previous: str | None) -> None:
        """Go on with another body, translated, as it holds ids of ours; `previous` is what it goes on from."""
        request = self._request
        whole = decode(request.endpoint, body, b"")
        request.fields, request.prompt_chars = whole.fields, whole.prompt_chars
        if request.endpoint.task == "chat":
            before = request.chat
            request.chat = None
            chat = chat_of(request)
            previous = previous or (before.previous_response_id if before is not None else None)
            if previous is not None:
                chat = msgspec.structs.replace(chat, previous_response_id=previous)
            request.chat = chat

    def _guarded(self, step: Callable[[], None]) -> None:
        """Take a step; what it refuses ends the exchange."""
        try:
            step()
        except Refusal as refusal:
            self._fail(Failure("owned", refusal.code, 0, str(refusal)))
        except (ShapeError, msgspec.DecodeError) as error:
            self._fail(Failure("owned", "invalid_type", 0, str(error)))
        except Exception:
            self._fail(Failure("owned", "internal_error", 0, "the gateway failed on this request"))
            raise

    # --- what the answer hands out ----------------------------------------------------------------------

    def _complete(self, attempt: Attempt, last: bytes, facts: AttemptFacts | None) -> None:
        """A whole answer."""
        if not self._records and hands_out(self._request, self._route):
            self._records = [self._record(attempt.target, name, b"") for name in containers_in(last)]
        super()._complete(attempt, last, facts)

    def _record(self, target: Target, name: str, kept: bytes) -> Owned:
        """The record of an id."""
        now_ms = self._ctx.clock.now_ms()
        subject = self.subject
        return Owned(
            subject.org,
            name,
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
        """Write the exchange down, then the records; then the last bytes go out."""
        records = self._records
        if records and then is not None:
            finish = then
            super()._settle(outcome, status, code, last, lambda: self._keep(records, finish), size)
            return
        super()._settle(outcome, status, code, last, then, size)

    def _keep(self, records: list[Owned], finish: Callable[[], None]) -> None:
        """Put them on record, in order; the store calls back in the same order."""
        for record in records[:-1]:
            self._ctx.owned.keep(record, nothing)
        self._ctx.owned.keep(records[-1], finish)


def in_response(name: str) -> bytes:
    """What the record of an item keeps: the response in which it stands."""
    return _IN + name.encode()


def nothing() -> None:
    """Nobody waits for this record."""
