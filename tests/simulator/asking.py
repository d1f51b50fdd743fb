"""One request to a fresh simulator without a socket, and its answer taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from penstock.simulator.desk import Desk, Incoming, Settings
from penstock.wire.aws_events import AwsEventDecoder, AwsMessage

ANTHROPIC = {"anthropic-version": "2023-06-01"}
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 5}},
    "required": ["city", "days"],
}


class Answer(NamedTuple):
    """What came back; `body` is without chunk framing."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The SSE events, each with its name and data."""
        found: list[tuple[str, Any]] = []
        for event in self.body.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            if "data" in lines:
                found.append((lines.get("event", ""), msgspec.json.decode(lines["data"])))
        return found

    @property
    def messages(self) -> list[AwsMessage]:
        """The messages of a binary event stream."""
        return AwsEventDecoder().feed(self.body)


def ask(
    path: str,
    body: object,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "POST",
    settings: Settings | None = None,
) -> Answer:
    """The answer of one fresh simulator to one request."""
    incoming = Incoming(
        method, path, {"content-type": "application/json", **(headers or {})}, msgspec.json.encode(body)
    )
    _, steps = Desk(settings or Settings()).answer(incoming)
    head, _, rest = b"".join(step.data for step in steps).partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    found = dict(line.split(": ", 1) for line in lines)
    if found.get("transfer-encoding") == "chunked":
        rest = _joined(rest)
    return Answer(int(status.split(" ")[1]), found, rest)


def _joined(rest: bytes) -> bytes:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body
