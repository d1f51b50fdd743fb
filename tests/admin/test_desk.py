"""How the gateway passes the control plane's paths on, against a control that a test plays."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from penstock.compile.key_bounds import network
from penstock.core.origin import Origin
from penstock.core.plan import Plan
from penstock.core.price_book import PriceBook
from penstock.pipeline.admin import ANSWER_S, AdminDesk, AdminFront, is_admin
from penstock.ports.http_server import HttpRequest, ReplyListener
from penstock.ports.transport import ResponseHandler
from penstock.testing.clock import VirtualClock


class Control:
    """Takes requests, and answers as it is told (ports.transport.Transport and Call)."""

    def __init__(self) -> None:
        self.request = b""
        self.origin: Origin | None = None
        self.handler: ResponseHandler | None = None
        self.said: list[str] = []

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> Control:
        """See ports.transport."""
        assert connect_s > 0
        self.origin, self.request, self.handler = origin, request, handler
        return self

    def answer(self, status: int, headers: dict[bytes, bytes], *pieces: bytes) -> None:
        """A whole answer."""
        assert self.handler is not None
        self.handler.on_head(status, headers)
        for piece in pieces:
            self.handler.on_data(piece)
        self.handler.on_end()

    def cancel(self) -> None:
        """See ports.transport."""
        self.said.append("cancel")

    def pause(self) -> None:
        """See ports.transport."""
        self.said.append("pause")

    def resume(self) -> None:
        """See ports.transport."""
        self.said.append("resume")


class Client:
    """What a client gets (ports.http_server.Reply)."""

    def __init__(self) -> None:
        self.listener: ReplyListener | None = None
        self.bytes_out = 0
        self.status = 0
        self.lines: list[tuple[str, str]] = []
        self.body = b""
        self.length: int | None = None
        self.ended = ""

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See ports.http_server."""
        self.start(status, headers, len(body))
        self.end(body)

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """See ports.http_server."""
        assert headers.endswith(b"\r\n")
        self.status, self.length = status, length
        for line in headers.decode().splitlines():
            name, _, value = line.partition(": ")
            self.lines.append((name, value))

    def write(self, data: bytes) -> None:
        """See ports.http_server."""
        self.body += data

    def end(self, data: bytes = b"") -> None:
        """See ports.http_server."""
        self.body += data
        self.ended += "end"

    def abort(self) -> None:
        """See ports.http_server."""
        self.ended += "abort"

    def all(self, name: str) -> list[str]:
        """The values of a field."""
        return [value for known, value in self.lines if known == name]


def plan(*trusted: str) -> Plan:
    """A Plan that trusts these proxies."""
    return Plan(
        revision="",
        routes={},
        deployments={},
        providers={},
        provider_order=(),
        keys={},
        direct_open=True,
        prices=PriceBook("none", {}),
        trusted_proxies=tuple(network(text) for text in trusted),
    )


class Asked:
    """One request at the desk."""

    def __init__(
        self,
        headers: dict[bytes, bytes] | None = None,
        *,
        method: bytes = b"GET",
        path: str = "/admin/api/keys",
        query: bytes = b"",
        body: bytes = b"",
        peer: str = "192.0.2.1",
        trusted: tuple[str, ...] = (),
        tls: bool = False,
    ) -> None:
        self.control, self.client, self.clock = Control(), Client(), VirtualClock()
        desk = AdminDesk(self.control, self.clock, lambda: plan(*trusted), "/s/control.sock", tls=tls)
        request = HttpRequest(method, path, query, {b"host": b"h", **(headers or {})}, body, 0.0, peer)
        desk.handle(request, self.client, "req_1")

    @property
    def line(self) -> str:
        """The request line that control gets."""
        return self.control.request.partition(b"\r\n")[0].decode()

    @property
    def passed(self) -> dict[str, str]:
        """The fields that control gets; none stands twice."""
        head = self.control.request.partition(b"\r\n\r\n")[0].decode("latin-1")
        pairs = [(name, value) for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])]
        assert len(pairs) == len(dict(pairs))
        return dict(pairs)


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        ("/admin", True), ("/admin/api/keys", True), ("/ui", True), ("/ui/keys", True),
        ("/administrator", False), ("/uix", False), ("/v1/admin", False), ("/", False),
    ],
)  # fmt: skip
def test_whose_paths_they_are(path: str, *, is_ours: bool) -> None:
    """A path is control's by its first segment."""
    assert is_admin(path) == is_ours


def test_identity_is_ours_to_say() -> None:
    """Whatever a client says of itself is removed, and who it is stands there once."""
    asked = Asked(
        {
            b"x-penstock-client": b"1.1.1.1", b"x-penstock-os-user": b"root", b"x-penstock-request-id": b"mine",
            b"x-forwarded-for": b"1.1.1.1", b"x-forwarded-proto": b"https", b"x-forwarded-host": b"evil",
            b"forwarded": b"for=1.1.1.1", b"x-real-ip": b"1.1.1.1", b"authorization": b"Bearer t",
            b"cookie": b"a=b", b"connection": b"keep-alive, x-gone, authorization", b"x-gone": b"1",
            b"te": b"trailers", b"transfer-encoding": b"chunked", b"upgrade": b"h2c", b"if-match": b'"1"',
        },
        body=b"{}",
        method=b"PUT",
    )  # fmt: skip
    assert asked.passed == {
        "host": "h", "authorization": "Bearer t", "cookie": "a=b", "if-match": '"1"', "content-length": "2",
        "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "http", "x-penstock-client": "192.0.2.1",
        "x-penstock-request-id": "req_1",
    }  # fmt: skip
    assert asked.control.request.endswith(b"\r\n\r\n{}")
    assert asked.control.origin == Origin("http", "control", 80, socket="/s/control.sock")


def test_a_trusted_proxys_word_reaches_control() -> None:
    """Behind one, the client is whom it saw, and the connection as encrypted as it says."""
    said = {b"x-forwarded-for": b"9.9.9.9, 198.51.100.2", b"x-forwarded-proto": b"https"}
    passed = Asked(said, trusted=("192.0.2.0/24",)).passed
    assert (passed["x-penstock-client"], passed["x-forwarded-proto"]) == ("198.51.100.2", "https")
    assert Asked(tls=True).passed["x-forwarded-proto"] == "https"


@pytest.mark.parametrize(
    ("path", "query", "line"),
    [
        ("/admin/api/keys", b"limit=1&a=%20", "GET /admin/api/keys?limit=1&a=%20 HTTP/1.1"),
        ("/admin/a b\r\nx: y", b"", "GET /admin/a%20b%0D%0Ax:%20y HTTP/1.1"),
        ("/admin/ü?#", b"", "GET /admin/%C3%BC%3F%23 HTTP/1.1"),
    ],
)
def test_a_target_is_one_line_again(path: str, query: bytes, line: str) -> None:
    """What was decoded is encoded again, so that nothing of a path ends the request line."""
    assert Asked(path=path, query=query).line == line


def test_an_answer_passes_with_its_cookies_apart() -> None:
    """Status, fields and body are control's, without what belongs to the connection with it."""
    asked = Asked()
    asked.control.answer(
        201,
        {
            b"content-length": b"4", b"content-type": b"text/plain", b"date": b"old", b"connection": b"x-hop",
            b"x-hop": b"1", b"set-cookie": b"a=1; Path=/\nb=2", b"x-penstock-request-id": b"req_1",
        },
        b"bo", b"dy",
    )  # fmt: skip
    client = asked.client
    assert (client.status, client.length, client.body, client.ended) == (201, 4, b"body", "end")
    assert client.all("set-cookie") == ["a=1; Path=/", "b=2"]
    assert [name for name, _ in client.lines] == [
        "content-type", "set-cookie", "set-cookie", "x-penstock-request-id",
    ]  # fmt: skip


def test_head_is_asked_as_get() -> None:
    """The parser of answers cannot know that there will be no body."""
    assert Asked(method=b"HEAD").line.startswith("GET ")


def refused(client: Client) -> dict[str, Any]:
    """A refusal in the admin API's words."""
    assert client.all("content-type") == ["application/problem+json"]
    return json.loads(client.body)


def refuse_connection(asked: Asked) -> None:
    """Control does not listen."""
    assert asked.control.handler is not None
    asked.control.handler.on_failure("connect_refused", "no")


def hang_up(asked: Asked) -> None:
    """Control dies before it answers."""
    assert asked.control.handler is not None
    asked.control.handler.on_failure("reset", "gone")


def say_nothing(asked: Asked) -> None:
    """Control takes the request and does nothing."""
    asked.clock.advance(ANSWER_S + 1)


@pytest.mark.parametrize(
    ("happens", "word"), [(refuse_connection, "starting"), (hang_up, "log"), (say_nothing, "in time")]
)
def test_without_control_there_is_a_clear_answer(happens: Callable[[Asked], None], word: str) -> None:
    """503, a code, a sentence, and when to try again; said once."""
    asked = Asked()
    happens(asked)
    assert asked.client.status == 503
    told = refused(asked.client)
    assert (told["code"], told["status"]) == ("control_unavailable", 503)
    assert word in told["detail"]
    assert asked.client.all("retry-after") == ["1"]
    asked.clock.advance(ANSWER_S + 1)
    assert asked.client.ended == "end"


def test_a_torn_answer_is_no_whole_one() -> None:
    """If control dies in the middle, the client's connection breaks."""
    asked = Asked()
    assert asked.control.handler is not None
    asked.control.handler.on_head(200, {})
    asked.control.handler.on_failure("cut", "gone")
    assert asked.client.ended == "abort"


def test_the_client_sets_the_pace() -> None:
    """A slow one holds control back, one that is gone ends the call."""
    asked = Asked()
    assert asked.client.listener is not None
    asked.client.listener.client_slow()
    asked.client.listener.client_ready()
    asked.client.listener.client_gone()
    assert asked.control.said == ["pause", "resume", "cancel"]
    asked.clock.advance(ANSWER_S + 1)
    assert asked.client.ended == ""


def test_the_own_address_serves_nothing_else() -> None:
    """At server.admin_listen there are the control plane's paths and the signs of life."""
    control = Control()
    front = AdminFront(AdminDesk(control, VirtualClock(), plan, "/s"), lambda: "req_1")

    def ask(path: str, method: bytes = b"GET") -> Client:
        client = Client()
        front.handle(HttpRequest(method, path, b"", {}, b"", 0.0, ""), client)
        return client

    assert ask("/healthz").status == 200
    assert refused(ask("/v1/models"))["code"] == "unknown_path"
    assert refused(ask("/healthz", b"POST"))["code"] == "unknown_path"
    assert not control.request
    ask("/admin/api/keys")
    assert control.request
    client = Client()
    front.refuse("/admin", client, 400, "bad_header", "a header name has a character that is not allowed")
    assert refused(client)["code"] == "bad_header"
