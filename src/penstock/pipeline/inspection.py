"""What a gateway tells, and lets be done, over its own Unix socket: for processes of this installation.

GET    /exchanges        those under way: `{"data": [...]}`
DELETE /exchanges/{id}   stop one: 200, or 404 where it has ended
GET    /accounts         what every account has used: `{"data": [...]}`
POST   /explain          where a request would be led, and why (pipeline.explaining)
GET    /drills           failover drills under way: `{"data": [...]}`
POST   /drills           begin one: a `core.drills.DrillRule` (409 where it cannot be)
DELETE /drills/{route}   stop one (404 where there is none)
GET    /cache            what is kept of answers, and what became of look-ups
POST   /cache/purge      take kept answers away: what holds for them, by name (core.kept.Purge)
GET    /standings        how targets, providers and regions stand: `{"targets": [...], "groups": [...]}`
"""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.core.drills import DrillRule
from penstock.core.errors import Refusal
from penstock.core.kept import Purge
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.explaining import Live, answer
from penstock.pipeline.refusing import JSON, send_refusal
from penstock.pipeline.usage import told_of
from penstock.ports.http_server import HttpRequest, Reply
from penstock.routing.standings_told import told

_EXCHANGES = "/exchanges"
_DRILLS = "/drills"
_rule = msgspec.json.Decoder(DrillRule).decode
_encode = msgspec.json.Encoder().encode
_decode_purge = msgspec.json.Decoder(dict[str, Any]).decode


class Inspection:
    """Implements ports.http_server.RequestHandler. Who can open the socket may ask."""

    def __init__(self, ctx: GatewayContext) -> None:
        self._ctx = ctx

    def handle(self, request: HttpRequest, reply: Reply) -> None:
        """Answer one request."""
        ctx, method, path = self._ctx, request.method, request.path
        if method == b"GET" and path == _EXCHANGES:
            self._send(reply, {"data": [each.told() for each in list(ctx.running.values())]})
        elif method == b"GET" and path == "/accounts":
            now, now_ms = ctx.clock.monotonic(), ctx.clock.now_ms()
            self._send(reply, {"data": [told_of(each, now, now_ms) for each in ctx.accounts.all()]})
        elif method == b"GET" and path == "/standings":
            self._send(reply, told(ctx.standings, ctx.clock.monotonic()))
        elif method == b"DELETE" and path.startswith(f"{_EXCHANGES}/"):
            name = path.removeprefix(f"{_EXCHANGES}/")
            exchange = ctx.running.get(name)
            if exchange is None or not exchange.kill():
                gone = Refusal("unknown_path", f"no exchange {name[:64]!r} is under way here")
                send_refusal(reply, gone, name)
            else:
                self._send(reply, {"request_id": name, "stopped": True})
        elif method == b"GET" and path == "/cache":
            ctx.caches.told(lambda body: self._send(reply, body))
        elif method == b"POST" and path == "/cache/purge":
            self._purge(request, reply)
        elif method == b"POST" and path == "/explain":
            self._explain(request, reply)
        elif path == _DRILLS or path.startswith(f"{_DRILLS}/"):
            self._drills(request, reply)
        else:
            send_refusal(reply, Refusal("unknown_path", f"nothing is served at {path}"), "")

    def _purge(self, request: HttpRequest, reply: Reply) -> None:
        try:
            purge = Purge(**_decode_purge(request.body))
        except (msgspec.MsgspecError, TypeError) as error:
            send_refusal(reply, Refusal("invalid_json", str(error)), "")
            return
        self._ctx.caches.drop(purge, lambda taken, why: self._send(reply, {"taken": taken, "why": why}))

    def _explain(self, request: HttpRequest, reply: Reply) -> None:
        ctx = self._ctx
        now, now_ms = ctx.clock.monotonic(), ctx.clock.now_ms()
        live = Live(ctx.standings, ctx.learned_of, ctx.floors, now, now_ms)
        try:
            self._send(reply, answer(ctx.plan, ctx.resolver, request.body, live))
        except Refusal as refusal:
            send_refusal(reply, refusal, "")

    def _drills(self, request: HttpRequest, reply: Reply) -> None:
        ctx, method = self._ctx, request.method
        now = ctx.clock.monotonic()
        try:
            if method == b"POST" and request.path == _DRILLS:
                self._send(reply, ctx.drills.begin(_rule(request.body), ctx.plan).told(now))
            elif method == b"DELETE":
                route = request.path.removeprefix(f"{_DRILLS}/")
                drill = ctx.drills.end(route, "killed", "somebody stopped it")
                if drill is None:
                    raise Refusal("drill_refused", f"no drill of the route {route!r} is under way")  # noqa: TRY301
                self._send(reply, drill.told(now))
            else:
                self._send(reply, {"data": [each.told(now) for each in ctx.drills.running.values()]})
        except msgspec.DecodeError as error:
            send_refusal(reply, Refusal("invalid_json", str(error)), "")
        except Refusal as refusal:
            send_refusal(reply, refusal, "")

    def refuse(self, path: str, reply: Reply, status: int, code: str, message: str) -> None:
        """See RequestHandler."""
        del path
        reply.send(status, JSON, _encode({"error": {"code": code, "message": message}}))

    def _send(self, reply: Reply, body: dict[str, object]) -> None:
        reply.send(200, JSON, _encode(body))
