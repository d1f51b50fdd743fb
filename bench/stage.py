"""What the contenders of one measure share: upstream, cores, working folder; and what a running one offers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from bench import payload
from bench.process import Process, send

# The first and the last core that we may use; where there is but one, all share it.
GATEWAY_CORE, OTHER_CORE = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
Scheme = Literal["http", "https"]


class BenchError(Exception):
    """Something did not start or answered wrongly; the sentence says what."""


@dataclass(frozen=True)
class Certificate:
    """Files of the run's own certificate: its CA, the server's chain and key."""

    ca: Path
    chain: Path
    key: Path


@dataclass(frozen=True)
class Stage:
    """Where contenders perform."""

    scheme: Scheme
    upstream_port: int
    certificate: Certificate
    folder: Path
    streaming: bool = False

    @property
    def base_url(self) -> str:
        """The upstream's address as an OpenAI base URL."""
        return f"{self.scheme}://127.0.0.1:{self.upstream_port}/v1"


@dataclass
class Running:
    """A contender that answers."""

    name: str
    port: int
    process: Process
    gateway_pids: list[int]
    headers: Mapping[str, str]
    helper_pids: list[int] = field(default_factory=list[int])

    def freeze(self) -> None:
        """Take it off the CPU while another one is measured."""
        for pid in self.process.tree():
            send(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run again."""
        for pid in self.process.tree():
            send(pid, signal.SIGCONT)


class Contender(Protocol):
    """One gateway under test.

    Attributes:
        name: As the tables call it.
        max_rate: Requests/s it is offered in the open loop at most (below the goal's 500 where it cannot).
        idle_streams: Open idle streams it is asked to hold at most.
        start_runs: How often its start is timed.
    """

    name: str
    max_rate: int
    idle_streams: int
    start_runs: int

    def missing(self) -> str | None:
        """Why it cannot take part here; None if it can."""
        ...

    def version(self) -> str:
        """What runs."""
        ...

    def start(self, stage: Stage, *, pinned: bool = True) -> Running:
        """Start it and return once it has answered a request. Raises BenchError."""
        ...


def request_bytes(port: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """One whole HTTP request."""
    lines = [f"host: 127.0.0.1:{port}", "content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return b"POST /v1/chat/completions HTTP/1.1\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers(port: int, headers: Mapping[str, str], *, streaming: bool = False) -> str:
    """Send one request; "" if it is answered with 200, else what came instead."""
    head = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            sock.settimeout(10)
            body = payload.request_body(stream=streaming)
            sock.sendall(request_bytes(port, headers, body))
            while b"\r\n\r\n" not in head and (piece := sock.recv(65536)):
                head += piece
            if not head.startswith(b"HTTP/1.1 200"):
                with contextlib.suppress(TimeoutError):
                    sock.settimeout(0.2)
                    head += sock.recv(65536)
    except OSError as error:
        return str(error) or type(error).__name__
    return (
        "" if head.startswith(b"HTTP/1.1 200") else head.decode(errors="replace") or "closed without an answer"
    )


def wait_for_answer(
    process: Process, port: int, headers: Mapping[str, str], *, limit_s: float, streaming: bool = False
) -> None:
    """Ask until a request is answered with 200. Raises BenchError when the process ends or the time does."""
    deadline = time.monotonic() + limit_s
    said = ""
    while time.monotonic() < deadline:
        if process.popen.poll() is not None:
            raise BenchError(f"{process.name} ended at once:\n{process.last_words()}")
        said = answers(port, headers, streaming=streaming)
        if not said:
            process.first_answer_s = time.monotonic() - process.started_at
            return
        time.sleep(0.005)
    process.end()
    raise BenchError(f"{process.name} did not answer within {limit_s:.0f} s: {said}\n{process.last_words()}")
