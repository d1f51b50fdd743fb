"""The control plane's paths: requests and answers pass as bytes between a client and control's socket.

Only the user that runs Penstock can connect to that socket, so control believes what the identity headers say
there. None of a client's pass: who the client is, is said here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from penstock.admission.addresses import client_address, client_scheme
from penstock.core.errors import CODES, Refusal
from penstock.core.origin import Origin
from penstock.core.plan import Plan
from penstock.pipeline.refusing import id_lines
from penstock.ports.clock import Clock, Timer
from penstock.ports.http_server import HttpRequest, Reply
from penstock.ports.transport import Call, Transport
from penstock.wire.http1 import header_safe

PREFIXES = ("/admin", "/ui")
# Control waits up to five seconds for gateways to serve a change, and verifying a long audit log takes longer.
ANSWER_S = 120.0
CONNECT_S = 2.0
RETRY_S = 1
# RFC 9110, section 7.6.1, and what older proxies honour.
_HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te",
        b"trailer", b"transfer-encoding", b"upgrade", b"content-length", b"expect",
    }
)  # fmt: skip
_IDENTITY = frozenset({b"forwarded", b"x-real-ip", b"x-client-ip", b"true-client-ip", b"via"})
_IDENTITY_PREFIXES = (b"x-penstock-", b"x-forwarded-")
# What a path may hold as it is (RFC 3986, section 3.3); anything else was decoded on its way in.
_PATH_CHARACTERS = "/:@!$&'()*+,;=~-._"
_CAUSES = {
    "connect_refused": "the control process is starting, or has ended and is being restarted; its log says why",
    "connect_timeout": "control takes no connection; look at its log",
}
_encode = msgspec.json.Encoder().encode


def is_admin(path: str) -> bool:
    """Whether a path is the control plane's."""
    for prefix in PREFIXES:
        if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
            return True
    return False


class AdminDesk:
    """Passes requests to control. `tls`: clients of this listener come over TLS."""

    def __init__(
        self, transport: Transport, clock: Clock, plan: Callable[[], Plan], socket: str, *, tls: bool = False
    ) -> None:
        self.transport = transport
        self.clock = clock
        self.origin = Origin("http", "control", 80, socket=socket)
        self._plan = plan
        self._tls = tls

    def handle(self, http: HttpRequest, reply: Reply, request_id: str) -> None:
        """Answer one request."""
        _Relay(self, http, reply, request_id).start(self._request(http, request_id))

    def _request(self, http: HttpRequest, request_id: str) -> bytes:
        """The request as control gets it."""
        target = quote(http.path, safe=_PATH_CHARACTERS).encode()
        if http.query:
            target += b"?" + http.query
        trusted = self._plan().trusted_proxies
        client = header_safe(client_address(http, trusted))
        scheme = client_scheme(http, trusted, tls=self._tls).encode()
        # Our parser cannot know that an answer belongs to a HEAD; the reply to the client leaves its body out.
        method = b"GET" if http.method == b"HEAD" else http.method
        return b"%b %b HTTP/1.1\r\n%b%b\r\n%b" % (
            method,
            target,
            b"".join([b"%b: %b\r\n" % pair for pair in _passed(http.headers)]),
            b"x-forwarded-for: %b\r\nx-forwarded-proto: %b\r\nx-penstock-client: %b\r\n"
            b"x-penstock-request-id: %b\r\ncontent-length: %d\r\n"
            % (client, scheme, client, request_id.encode(), len(http.body)),
            http.body,
        )


class AdminFront:
    """The handler of `server.admin_listen`: the control plane's paths and the signs of life, nothing else."""

    def __init__(self, desk: AdminDesk, new_id: Callable[[], str]) -> None:
        self._desk = desk
        self._new_id = new_id

    def handle(self, request: HttpRequest, reply: Reply) -> None:
        """See ports.http_server."""
        request_id = self._new_id()
        if is_admin(request.path):
            self._desk.handle(request, reply, request_id)
        elif request.path in ("/", "/healthz", "/readyz") and request.method in (b"GET", b"HEAD"):
            reply.send(200, b"content-type: application/json\r\n", b'{"status":"ok"}')
        else:
            told = f"nothing is served at {request.path} here; the APIs of models are at server.listen"
            send_problem(reply, Refusal("unknown_path", told), request_id)

    def refuse(self, path: str, reply: Reply, status: int, code: str, message: str) -> None:
        """See ports.http_server."""
        del path
        request_id = self._new_id()
        _send_problem(reply, status, code, message, request_id)


class _Relay:
    """One request under way. Implements ports.transport.ResponseHandler and ports.http_server.ReplyListener."""

    __slots__ = ("_call", "_desk", "_ended", "_http", "_reply", "_request_id", "_started", "_timer")

    def __init__(self, desk: AdminDesk, http: HttpRequest, reply: Reply, request_id: str) -> None:
        self._desk = desk
        self._http = http
        self._reply = reply
        self._request_id = request_id
        self._call: Call | None = None
        self._timer: Timer | None = None
        self._started = False
        self._ended = False

    def start(self, request: bytes) -> None:
        """Send it."""
        self._reply.listener = self
        self._timer = self._desk.clock.call_later(ANSWER_S, self._late)
        call = self._desk.transport.send(self._desk.origin, request, self, CONNECT_S)
        if not self._ended:
            self._call = call

    # --- control's side -------------------------------------------------------------------------------------

    def on_connected(self, *, reused: bool) -> None:
        """See ports.transport."""

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """Pass the head."""
        if self._timer is not None:
            self._timer.cancel()
        self._started = True
        length = headers.get(b"content-length")
        known = int(length) if length is not None and length.isdigit() else None
        lines = [b"%b: %b\r\n" % pair for pair in _answered(headers)]
        if b"x-penstock-request-id" not in headers:
            lines.append(id_lines(self._request_id))
        # An answer to HEAD says how long the one to GET would be.
        self._reply.start(status, b"".join(lines), known)

    def on_data(self, data: bytes) -> None:
        """Pass a piece of the body."""
        self._reply.write(data)

    def on_end(self) -> None:
        """The answer is whole."""
        if self._end():
            self._reply.end()

    def on_failure(self, cause: str, detail: str) -> None:
        """Control is down, or died on the way."""
        del detail
        self._fail(_CAUSES.get(cause, "control did not answer; look at its log"))

    # --- the client's side ----------------------------------------------------------------------------------

    def client_gone(self) -> None:
        """Nobody waits; control finishes what it has begun."""
        if self._end() and self._call is not None:
            self._call.cancel()

    def client_slow(self) -> None:
        """Hold control back."""
        if self._call is not None:
            self._call.pause()

    def client_ready(self) -> None:
        """Let it go on."""
        if self._call is not None:
            self._call.resume()

    def _late(self) -> None:
        call = self._call
        if call is not None:
            call.cancel()
        self._fail("control did not answer in time; look at its log")

    def _fail(self, why: str) -> None:
        if not self._end():
            return
        if self._started:
            self._reply.abort()
            return
        send_problem(self._reply, Refusal("control_unavailable", why, retry_after_s=RETRY_S), self._request_id)

    def _end(self) -> bool:
        """Whether this was the first end of it."""
        if self._ended:
            return False
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        return True


def _passed(headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """A client's fields that control may see."""
    named = _named_by_connection(headers)
    return [
        (name, value)
        for name, value in headers.items()
        if name not in _HOP_BY_HOP
        and name not in _IDENTITY
        and not name.startswith(_IDENTITY_PREFIXES)
        and name not in named
    ]


def _answered(headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Control's fields that a client gets; cookies each on its own line (RFC 6265, section 3)."""
    named = _named_by_connection(headers)
    lines: list[tuple[bytes, bytes]] = []
    for name, value in headers.items():
        if name in _HOP_BY_HOP or name in named or name == b"date":
            continue
        if name == b"set-cookie":
            lines += [(name, cookie) for cookie in value.split(b"\n")]
        else:
            lines.append((name, value))
    return lines


def _named_by_connection(headers: dict[bytes, bytes]) -> set[bytes]:
    said = headers.get(b"connection", b"").lower().split(b",")
    # A client must not have the fields removed by which control knows it.
    return {name.strip() for name in said} - {b"host", b"authorization", b"cookie", b"origin", b"x-csrf-token"}


def send_problem(reply: Reply, refusal: Refusal, request_id: str) -> None:
    """A refusal in the admin API's words (RFC 9457)."""
    retry = b""
    if refusal.retry_after_s is not None:
        retry = b"retry-after: %d\r\n" % max(1, int(refusal.retry_after_s + 0.999))
    _send_problem(reply, refusal.status, refusal.code, str(refusal), request_id, retry)


def _send_problem(
    reply: Reply, status: int, code: str, message: str, request_id: str, lines: bytes = b""
) -> None:
    body = _encode(
        {
            "type": f"urn:penstock:problem:{code}",
            "title": CODES[code][2],
            "status": status,
            "code": code,
            "detail": message,
            "request_id": request_id,
            "errors": [],
        }
    )
    head = b"content-type: application/problem+json\r\ncache-control: no-store\r\n"
    reply.send(status, head + id_lines(request_id) + lines, body)
