"""A visit to a kept response: `GET`, `DELETE`, its input items, `cancel`.

The id must belong to the caller's organisation. What we keep is answered here; what a vendor keeps is asked for
at the deployment that issued it, with its credential, and passes as it came. Nothing here costs money, so that
nothing is written to the journal.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import replace

from penstock.admission.accounts import Allowance
from penstock.admission.allowances import key_allowance
from penstock.admission.scopes import key_for
from penstock.core.errors import Refusal, ShapeError
from penstock.core.plan import VirtualKey
from penstock.core.requirements import Unmet
from penstock.core.target import Target
from penstock.dialects.openai_responses.stored import DEFAULT_LIMIT, input_items, item_page
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.entering import enter_or_wait, let_go
from penstock.pipeline.forward import Forward, Forwarded
from penstock.pipeline.owning import is_item, nothing
from penstock.pipeline.refusing import JSON, id_lines, send_refusal
from penstock.pipeline.responses import unknown
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.owned import Owned
from penstock.providers.openai.response import passed_headers
from penstock.routing.held import RESPONSES, held_target
from penstock.shapes.openai_responses.kept import handed_out, kept_response, read_kept
from penstock.wire.http1 import header_safe

_PATH = re.compile(r"/v1/responses/(?P<id>[^/]+)(?:/(?P<part>input_items|cancel))?")
_METHODS: dict[str, tuple[bytes, ...]] = {
    "": (b"GET", b"DELETE"),
    "input_items": (b"GET",),
    "cancel": (b"POST",),
}
_encode = msgspec.json.Encoder().encode


def visit(ctx: GatewayContext, http: HttpRequest, reply: Reply, request_id: str) -> None:
    """Answer one request for a path below /v1/responses/."""

    def refuse(refusal: Refusal) -> None:
        send_refusal(reply, refusal, request_id)

    try:
        found = _PATH.fullmatch(http.path)
        if found is None:
            raise Refusal("unknown_path", f"nothing is served at {http.path}")  # noqa: TRY301
        part = found["part"] or ""
        if http.method not in _METHODS[part]:
            wanted = b" or ".join(_METHODS[part]).decode()
            raise Refusal("method_not_allowed", f"send {wanted} to {http.path}")  # noqa: TRY301
        key = key_for(ctx.plan, http, ctx.clock.now_ms(), "responses", "openai")
        allowance = key_allowance(ctx.accounts, ctx.plan, key, ctx.clock.now_ms())
        visiting = _Visit(ctx, http, reply, request_id, key, found["id"], part, allowance)
        is_in = enter_or_wait(ctx, allowance, reply, visiting.start, refuse)
    except Refusal as refusal:
        refuse(refusal)
        return
    if is_in:
        visiting.start()


class _Visit:
    """One visit. Implements ReplyListener towards the client; ends once, and gives its slot back."""

    __slots__ = (
        "_allowance",
        "_ctx",
        "_ended",
        "_forward",
        "_http",
        "_name",
        "_org",
        "_part",
        "_record",
        "_reply",
        "_request_id",
        "_scope",
    )

    def __init__(
        self,
        ctx: GatewayContext,
        http: HttpRequest,
        reply: Reply,
        request_id: str,
        key: VirtualKey,
        name: str,
        part: str,
        allowance: Allowance,
    ) -> None:
        self._ctx = ctx
        self._http = http
        self._reply = reply
        self._request_id = request_id
        self._org = key.subject.org
        self._scope = key.scope
        self._name = name
        self._part = part
        self._allowance = allowance
        self._record: Owned | None = None
        self._forward: Forward | None = None
        self._ended = False

    def start(self) -> None:
        """Look whose it is."""
        self._reply.listener = self
        self._ctx.owned.find(self._org, self._name, self._found, self._lost)

    def _found(self, record: Owned | None) -> None:
        if self._ended:
            return
        self._record = record
        try:
            if record is None or is_item(record):
                raise unknown(self._name)  # noqa: TRY301 - answered where all refusals are
            if record.kept:
                self._from_here(record)
            else:
                self._from_vendor(record)
        except Refusal as refusal:
            self._refuse(refusal)
        except ShapeError as error:
            self._refuse(Refusal("invalid_type", str(error), param=error.where or None))
        except Exception:
            self._refuse(Refusal("internal_error", "the gateway failed on this request"))
            raise

    def _lost(self, detail: str) -> None:
        self._refuse(Refusal("responses_unavailable", f"{detail}; try again", retry_after_s=1.0))

    # --- what we keep -----------------------------------------------------------------------------------

    def _from_here(self, record: Owned) -> None:
        if self._part == "cancel":
            raise Refusal(
                "unsupported_endpoint", "this response is complete; only one in the background can be cancelled"
            )
        if self._http.method == b"DELETE":
            self._forget(JSON, _encode({"id": record.id, "object": "response", "deleted": True}))
        elif self._part == "input_items":
            earlier = read_kept(record.kept)
            items = input_items({"input": earlier.input}, record.id)
            self._send(200, JSON, _page(items, self._http.query))
        elif b"stream=true" in self._http.query:
            raise Refusal("unsupported_parameter", "this response cannot be streamed again", param="stream")
        else:
            self._send(200, JSON, kept_response(record.kept))

    def _forget(self, lines: bytes, body: bytes) -> None:
        """Delete our record, then say so."""
        self._ctx.owned.forget(self._org, self._name, lambda: self._send(200, lines, body), self._lost)

    # --- what a vendor keeps ----------------------------------------------------------------------------

    def _from_vendor(self, record: Owned) -> None:
        target = self._target(record)
        path = f"/responses/{record.id}" + (f"/{self._part}" if self._part else "")
        self._forward = Forward(
            self._ctx, self._http, self._reply, target, self._request_id, self._lines(record)
        )
        self._forward.start(path.encode(), self._came)

    def _target(self, record: Owned) -> Target:
        target = self._ctx.resolver.keeper(record.target, record.provider, self._scope)
        if target is None:
            raise Refusal(
                "response_elsewhere",
                f"the response is kept by the provider {record.provider!r}, which is not configured any more",
            )
        scope = self._scope
        if scope is not None and not self._ends:
            unmet = held_target(target, scope.needs, None, RESPONSES)
            if isinstance(unmet, Unmet):
                raise Refusal("policy_denied", f"{record.target} keeps this response, and {unmet}; delete it")
        return target

    @property
    def _ends(self) -> bool:
        """Whether the visit ends what a vendor has: that is never in the way of a rule."""
        return self._http.method == b"DELETE" or self._part == "cancel"

    def _came(self, answer: Forwarded | Refusal | None) -> None:
        """The vendor's answer, whole; None where it has been streamed."""
        self._forward = None
        if self._ended:
            return
        record = self._record
        if isinstance(answer, Refusal):
            self._refuse(answer)
        elif answer is None or record is None:
            self._end()
        elif answer.status == 404:
            self._refuse(unknown(self._name))
        elif answer.status == 200 and self._http.method == b"DELETE":
            self._forget(passed_headers(answer.headers) + self._lines(record), answer.body)
        else:
            if answer.status == 200 and not self._part:
                # Of an answer in the background nothing was known yet when its id was put on record.
                for name in handed_out(answer.body):
                    self._ctx.owned.keep(replace(record, id=name), nothing)
            lines = passed_headers(answer.headers) + self._lines(record)
            self._send(answer.status, lines, answer.body, answer.headers)

    # --- endings ----------------------------------------------------------------------------------------

    def _lines(self, record: Owned) -> bytes:
        return b"x-penstock-target: %b\r\n" % header_safe(record.target)

    def _send(self, status: int, lines: bytes, body: bytes, named: dict[bytes, bytes] | None = None) -> None:
        if self._end():
            return
        ids = id_lines(self._request_id)
        if named is not None and b"x-request-id" in named:
            ids = b"x-penstock-request-id: %b\r\n" % self._request_id.encode()
        self._reply.send(status, lines + ids, body)

    def _refuse(self, refusal: Refusal) -> None:
        if not self._end():
            send_refusal(self._reply, refusal, self._request_id)

    def _end(self) -> bool:
        """Give the slot back; whether that had been done."""
        ended, self._ended = self._ended, True
        if not ended:
            let_go(self._ctx, self._allowance)
        return ended

    def client_gone(self) -> None:
        """Ask no further."""
        if self._forward is not None:
            self._forward.cancel()
        self._end()

    def client_slow(self) -> None:
        """Hold the vendor back."""
        if self._forward is not None:
            self._forward.pause()

    def client_ready(self) -> None:
        """Let it go on."""
        if self._forward is not None:
            self._forward.resume()


def _page(items: list[dict[str, object]], query: bytes) -> bytes:
    """One page of items as the query wants it. Raises ShapeError."""
    asked = {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}
    limit = asked.get("limit", str(DEFAULT_LIMIT))
    order: Literal["asc", "desc"] = "asc" if asked.get("order") == "asc" else "desc"
    page = item_page(
        items,
        after=asked.get("after"),
        before=asked.get("before"),
        limit=int(limit) if limit.isascii() and limit.isdigit() else 0,
        order=order,
    )
    return _encode(page)
