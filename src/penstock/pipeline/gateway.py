"""The gateway's front: a path to an endpoint, a request to an exchange or a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from penstock.admission.accounts import Allowance
from penstock.admission.allowances import allowance_for
from penstock.admission.counters import Counter
from penstock.admission.entry import enter
from penstock.admission.scopes import bound_output, key_for
from penstock.admission.tags import read_tags
from penstock.core.errors import CODES, Refusal
from penstock.core.exchange import AdmissionRefused, RequestFacts, Subject
from penstock.core.plan import Plan, Route, VirtualKey
from penstock.dialects.errors import error_body, error_lines
from penstock.dialects.model_lists import Entry, entry_body, list_body, list_dialect
from penstock.dialects.named_ids import named_ids
from penstock.dialects.native import decode_native
from penstock.dialects.openai.decode import decode
from penstock.dialects.paths import PATHS, Found, dialect_of, find
from penstock.pipeline.admin import AdminDesk, is_admin, send_problem
from penstock.pipeline.afterwards import Afterwards
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.entering import Entering
from penstock.pipeline.exchange import Exchange
from penstock.pipeline.feedback import PATH as FEEDBACK
from penstock.pipeline.feedback import FeedbackDesk
from penstock.pipeline.inner import Asker
from penstock.pipeline.media import VIDEOS
from penstock.pipeline.models import ModelList
from penstock.pipeline.owning import OwningExchange, check_named, hands_out
from penstock.pipeline.refusing import JSON, id_lines, send_refusal
from penstock.pipeline.responses import SHAPE as RESPONSES
from penstock.pipeline.responses import ResponsesExchange, check, keeps
from penstock.pipeline.usage import usage_body
from penstock.pipeline.videos import VideoLook
from penstock.pipeline.visit import visit
from penstock.ports.http_server import HttpRequest, Reply
from penstock.shapes.openai_request import OpenAIRequest

_LATER: Final = (
    "/v1/files",
    "/v1/batches",
    "/v1/messages/batches",
    "/v1beta/files",
    "/v1beta/batches",
    "/mcp",
)
MAX_MODEL: Final = 256
_LISTS: Final = re.compile(r"(?:/v1|/v1beta|/v1alpha)/models(?=/|\Z)")


class Gateway:
    """Implements ports.http_server.RequestHandler. `desk`: the control plane's paths are served here, too."""

    def __init__(self, ctx: GatewayContext, desk: AdminDesk | None = None) -> None:
        self.ctx = ctx
        self._desk = desk
        self.ready = True
        self._after = Afterwards(ctx)
        self._own: dict[str, Callable[[HttpRequest, Reply, str], None]] = {
            "/v1/usage": self._usage,
            FEEDBACK: FeedbackDesk(ctx).handle,
        }
        ctx.asker = Asker

    def handle(self, request: HttpRequest, reply: Reply) -> None:
        """Answer one request; a defect of ours becomes a 500, never a hanging client."""
        found = find(request.path)
        if found is None or request.method != b"POST":
            self._other(request, reply, found)
            return
        admission = _Admission(self.ctx, request, found, self._after)
        try:
            exchange = admission.admit(reply)
        except Refusal as refusal:
            admission.refuse(reply, refusal)
        except Exception:
            defect = Refusal("internal_error", "the gateway failed on this request")
            send_refusal(reply, defect, admission.request_id, found.endpoint.dialect)
            raise
        else:
            if exchange is not None:
                exchange.start()

    def refuse(self, path: str, reply: Reply, status: int, code: str, message: str) -> None:
        """The server refuses the message itself."""
        request_id = self.ctx.new_request_id()
        dialect, kind = dialect_of(path), CODES[code][1]
        body = error_body(dialect, code, kind, message, None, request_id)
        reply.send(status, JSON + id_lines(request_id, dialect) + error_lines(dialect, kind, status), body)

    def _other(self, request: HttpRequest, reply: Reply, found: Found | None) -> None:
        request_id = self.ctx.new_request_id()
        path, method = request.path, request.method
        if path in ("/", "/healthz") and method in (b"GET", b"HEAD"):
            reply.send(200, JSON, b'{"status":"ok"}')
        elif path == "/readyz" and method in (b"GET", b"HEAD"):
            status = 200 if self.ready else 503
            reply.send(status, JSON, b'{"status":"%b"}' % (b"ready" if self.ready else b"draining"))
        elif is_admin(path):
            self._admin(request, reply, request_id)
        elif _LISTS.match(path) is not None:
            self._models(request, reply, request_id)
        elif path.startswith("/v1/responses/") and found is None:
            visit(self.ctx, request, reply, request_id)
        elif path.startswith(VIDEOS) and method == b"GET":
            self._video(request, reply, request_id)
        elif path in self._own:
            self._own[path](request, reply, request_id)
        elif found is not None:
            refusal = Refusal("method_not_allowed", f"send POST to {path}")
            send_refusal(reply, refusal, request_id, found.endpoint.dialect)
        elif path.startswith(_LATER):
            refusal = Refusal("endpoint_not_built", f"{path} is not served by this version yet")
            send_refusal(reply, refusal, request_id, dialect_of(path))
        else:
            send_refusal(reply, Refusal("unknown_path", _lost(path)), request_id, dialect_of(path))

    def _usage(self, request: HttpRequest, reply: Reply, request_id: str) -> None:
        ctx = self.ctx
        try:
            if request.method not in (b"GET", b"HEAD"):
                raise Refusal("method_not_allowed", "send GET to /v1/usage")  # noqa: TRY301
            key = key_for(ctx.plan, request, ctx.clock.now_ms())
        except Refusal as refusal:
            send_refusal(reply, refusal, request_id)
            return
        body = usage_body(ctx.accounts, ctx.plan, key, ctx.clock.monotonic(), ctx.clock.now_ms())
        reply.send(200, JSON + id_lines(request_id), body)

    def _admin(self, request: HttpRequest, reply: Reply, request_id: str) -> None:
        if self._desk is not None:
            self._desk.handle(request, reply, request_id)
            return
        told = "the admin API and the dashboard are not served at this address; server.admin_listen is theirs"
        send_problem(reply, Refusal("unknown_path", told), request_id)

    def _video(self, request: HttpRequest, reply: Reply, request_id: str) -> None:
        def refuse(refusal: Refusal) -> None:
            send_refusal(reply, refusal, request_id)

        try:
            VideoLook(self.ctx, request, reply, request_id, id_lines(request_id), refuse).start()
        except Refusal as refusal:
            refuse(refusal)

    def _models(self, request: HttpRequest, reply: Reply, request_id: str) -> None:
        dialect = list_dialect(request.path, request.headers)
        name = _LISTS.sub("", request.path, count=1).lstrip("/")
        if request.method not in (b"GET", b"HEAD"):
            refusal = Refusal("method_not_allowed", "send GET to /v1/models")
            send_refusal(reply, refusal, request_id, dialect)
            return
        try:
            key = key_for(self.ctx.plan, request, self.ctx.clock.now_ms())
        except Refusal as refusal:
            send_refusal(reply, refusal, request_id, dialect)
            return

        def answer(entries: list[Entry]) -> None:
            try:
                body = (
                    entry_body(dialect, entries, name) if name else list_body(dialect, entries, request.query)
                )
            except Refusal as refusal:
                send_refusal(reply, refusal, request_id, dialect)
            else:
                reply.send(200, JSON + id_lines(request_id, dialect), body)

        ModelList(self.ctx, key, answer).start()


class _Admission:
    """Stages 1 and 2 of one request; remembers how far it came, for the record of a refusal."""

    __slots__ = (
        "_after",
        "_ctx",
        "_decoded",
        "_endpoint",
        "_found",
        "_http",
        "_key",
        "_now_ms",
        "_plan",
        "_route",
        "request_id",
    )

    def __init__(self, ctx: GatewayContext, http: HttpRequest, found: Found, after: Afterwards) -> None:
        self._ctx = ctx
        self._after = after
        self._plan: Plan = ctx.plan
        self._http = http
        self._found = found
        self._endpoint = found.endpoint
        self._now_ms = ctx.clock.now_ms()
        self.request_id = ctx.new_request_id(self._now_ms)
        self._key: VirtualKey | None = None
        self._decoded: OpenAIRequest | None = None
        self._route: Route | None = None

    def admit(self, reply: Reply) -> Exchange | None:
        """Who asks, for what, on which route. Raises Refusal.

        The exchange, to be started; None where it starts by itself as soon as there is room.
        """
        ctx, http = self._ctx, self._http
        endpoint = self._endpoint
        key = self._key = key_for(self._plan, http, self._now_ms, endpoint.name, endpoint.dialect)
        request = self._decoded = self._decode()
        bound_output(key, request)
        route = self._route = ctx.resolver.resolve(request.model, key)
        if key.scope is not None or route.requires is not None:
            route = self._route = ctx.resolver.held.of(route, key.scope, self._endpoint)
        tags = read_tags(http.headers.get(b"x-penstock-tags"), request.metadata, key.tags)
        if route.required_tags:
            _check_tags(route, tags)
        self._deepen((route.session or self._plan.session).depth)
        subject = _subject_of(key, tags)
        responses = self._endpoint.shape == RESPONSES
        previous = check(request, route) if responses else ""
        named = named_ids(request.endpoint, request.fields) if request.fields is not None else []
        check_named(named)
        facts = self._facts(request, route, tags)
        allowance = allowance_for(ctx.accounts, self._plan, key, route, subject, tags, facts.ts_ms)
        if allowance.downgrades:
            cheaper = self._plan.routes.get(allowance.downgraded_to(http.received_at, facts.ts_ms))
            if cheaper is not None and cheaper is not route:
                route = self._route = cheaper
                facts = self._facts(request, route, tags)
                allowance = allowance_for(ctx.accounts, self._plan, key, route, subject, tags, facts.ts_ms)
        exchange: Exchange
        reply = self._after.watched(reply, request, route, key, facts)
        if responses and (previous or named or keeps(request)):
            exchange = ResponsesExchange(
                ctx, http, reply, request, route, key, subject, allowance, facts, named, previous
            )
        elif named or hands_out(request, route):
            exchange = OwningExchange(ctx, http, reply, request, route, key, subject, allowance, facts, named)
        else:
            reply = self._after.copied(reply, http, request, route, key, facts)
            exchange = Exchange(ctx, http, reply, request, route, key, subject, allowance, facts)
        blocked = enter(allowance, ctx.clock.monotonic(), self._now_ms)
        if blocked is None:
            return exchange
        self._wait(blocked, allowance, exchange, reply)
        return None

    def _wait(self, blocked: Counter, allowance: Allowance, exchange: Exchange, reply: Reply) -> None:
        def refuse(refusal: Refusal) -> None:
            self.refuse(reply, refusal)

        Entering(self._ctx, allowance, exchange.start, refuse).wait(blocked, reply)

    def _deepen(self, most: int | None) -> None:
        """Take a place in the chain of calls, if it is bounded. Raises Refusal where it is too long."""
        if most is None:
            return
        ctx, headers = self._ctx, self._http.headers
        depth, sent = ctx.chains.enter(headers.get(b"traceparent"), ctx.bits(64), ctx.bits(128))
        if depth > most:
            raise Refusal(
                "session_exhausted", f"calls within calls may be {most} deep here, and this one would be deeper"
            )
        headers[b"traceparent"] = sent

    def _decode(self) -> OpenAIRequest:
        http = self._http
        if self._endpoint.dialect == "openai":
            return decode(self._endpoint, http.body, http.headers.get(b"content-type", b""))
        return decode_native(self._found, http.body)

    def _facts(self, request: OpenAIRequest, route: Route, tags: dict[str, str]) -> RequestFacts:
        endpoint = self._endpoint
        if not tags:  # as most requests have none
            return RequestFacts(
                self.request_id,
                self._now_ms,
                endpoint.dialect,
                endpoint.name,
                route.name,
                request.model[:MAX_MODEL],
                request.stream,
            )
        get = tags.get
        return RequestFacts(
            self.request_id,
            self._now_ms,
            self._endpoint.dialect,
            self._endpoint.name,
            route.name,
            request.model[:MAX_MODEL],
            request.stream,
            get("session", ""),
            get("task", ""),
            get("prompt_version", ""),
            get("feature", ""),
            tags,
        )

    def refuse(self, reply: Reply, refusal: Refusal) -> None:
        """Turn the request away, and write it down with what was known by then."""
        self._record(refusal)
        send_refusal(reply, refusal, self.request_id, self._endpoint.dialect)

    def _record(self, refusal: Refusal) -> None:
        request = self._decoded
        facts = RequestFacts(
            self.request_id,
            self._now_ms,
            self._endpoint.dialect,
            self._endpoint.name,
            self._route.name if self._route is not None else "",
            request.model[:MAX_MODEL] if request is not None else "",
            request.stream if request is not None else False,
        )
        subject = self._key.subject if self._key is not None else Subject()
        self._ctx.journal.append(AdmissionRefused(facts, subject, refusal.status, refusal.code))


def _subject_of(key: VirtualKey, tags: dict[str, str]) -> Subject:
    """Whose request it is: the key's, and the user's whom a tag names where the key is nobody's."""
    subject = key.subject
    if tags and not subject.user and "user" in tags:
        return Subject(subject.org, subject.team, tags["user"], subject.key)
    return subject


def _check_tags(route: Route, tags: dict[str, str]) -> None:
    """Raise Refusal where a tag is missing that the route requires."""
    for name in route.required_tags:
        if name not in tags:
            raise Refusal(
                "missing_tag",
                f"the route {route.name!r} requires the tag {name!r}: send x-penstock-tags: {name}=…",
            )


def _lost(path: str) -> str:
    """Nothing is served there; most often an SDK's base URL has too little or too much in it."""
    known = [*sorted(PATHS), "/v1/models"]
    twice = [each for each in known if path.startswith(f"{each}/") and f"/v1{path[len(each) :]}" in known]
    meant = [each for each in known if f"/v1{path}" == each or path.endswith(each)] + twice
    if meant:
        return f"nothing is served at {path}; for {meant[0]} let the client's base URL end in /v1"
    above = [each for each in known if path.startswith(f"{each}/")]
    if above:
        return f"nothing is served at {path}: what {above[0]} answers is not kept, so that nothing is below it"
    return f"nothing is served at {path}; there are {', '.join(known)}"
