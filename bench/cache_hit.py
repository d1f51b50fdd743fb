"""What a hit of the exact cache costs: CPU of the gateway's process for each request that memory answers.

    python -m bench.cache_hit [--requests N] [--json FILE]

Everything is on: authentication, a rate of requests, a budget, a route with a fallback, the journal on disk.
The gateway is a process of its own; clients on a few keep-alive connections keep it busy. *same bytes* is one
question asked over and over; *other bytes* is the same question written differently each time, so that its
fingerprint has to be worked out; *stream* is the first one as a stream, *miss* the same route with the cache
left out of it (the simulator's own time is not counted).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import penstock.pipeline.exchange as compiled_or_not

CONFIG = """
version: 1
server: {{listen: 127.0.0.1:{port}, state_dir: {folder}/state}}
providers: {{sim: {{kind: simulator}}}}
deployments:
  echo: {{provider: sim, model: echo, price: {{input: 1, output: 2}}}}
  other: {{provider: sim, model: tiny, price: {{input: 1, output: 2}}}}
routes:
  chat: {{policy: {{fallback: [echo, other]}}, cache: {{exact: {{ttl_s: 3600}}}}}}
keys:
  - {{name: bench, secret: sk-bench-cache-hit, org: acme, user: ann,
      limits: {{rpm: 100000000}}, budget: {{usd: 1000, window: month}}}}
"""
TARGET_US = 40.0
CONNECTIONS = 8
WORDS = "the quick brown fox jumps over the lazy dog and runs along the river until night falls "


def body(number: int, *, spaced: bool, stream: bool) -> bytes:
    """A question of about 1 kB; `spaced`: written as nobody has written it yet."""
    asked: dict[str, Any] = {
        "model": "chat",
        "messages": [
            {"role": "system", "content": "Answer briefly. " + WORDS * 5},
            {"role": "user", "content": "Say this again: " + WORDS * 4},
        ],
        "max_tokens": 512,
        "stream": stream,
    }
    text = json.dumps(asked)
    return (
        text.replace("{", "{" + " " * (number % 997) + "\n" * (number // 997), 1).encode()
        if spaced
        else text.encode()
    )


def request(payload: bytes, cache: str) -> bytes:
    """The whole HTTP request."""
    said = f"x-penstock-cache: {cache}\r\n" if cache else ""
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer sk-bench-cache-hit\r\n"
        f"content-type: application/json\r\n{said}content-length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Ask."""
        self._sock.sendall(data)

    def read(self) -> bytes:
        """One answer's head; the body is read and thrown away."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, _, rest = data.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length: " in lower:
            size = int(lower.split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(rest) < size:
                rest += self._more()
        else:
            while not rest.endswith(b"0\r\n\r\n"):
                rest += self._more()
        return head

    def _more(self) -> bytes:
        data = self._sock.recv(262_144)
        if not data:
            raise ConnectionError("the gateway closed the connection")
        return data


def gateway_of(supervisor: int) -> int:
    """The pid of the gateway below a supervisor. Raises LookupError."""
    for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        if b"penstock.bootstrap.gateway" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise LookupError("there is no gateway")


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(port: int, pid: int, count: int, made: Callable[[int], bytes], cache: bytes) -> float:
    """Microseconds of CPU a request; every answer must come from where it is said to."""
    clients = [Client(port) for _ in range(CONNECTIONS)]
    before = cpu_s(pid)
    for number in range(0, count, CONNECTIONS):
        for at, client in enumerate(clients):
            client.send(made(number + at))
        for client in clients:
            head = client.read()
            if cache not in head:
                raise RuntimeError(f"not {cache!r}: {head!r}")
    return (cpu_s(pid) - before) / count * 1e6


def run(folder: Path, count: int) -> dict[str, float]:
    """Start everything, measure, stop."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    config = folder / "penstock.yaml"
    config.write_text(CONFIG.format(port=port, folder=folder))
    command = [sys.executable, "-m", "penstock.cli", "serve", "-c", str(config)]
    with (folder / "log").open("wb") as log:
        service = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            return _measured(service, port, count)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(30)


def _measured(service: subprocess.Popen[bytes], port: int, count: int) -> dict[str, float]:
    deadline = time.monotonic() + 30
    while True:
        try:
            first = Client(port)
            break
        except OSError:
            if time.monotonic() > deadline or service.poll() is not None:
                raise
            time.sleep(0.05)
    whole = request(body(0, spaced=False, stream=False), "")
    stream = request(body(0, spaced=False, stream=True), "")
    asked = request(body(0, spaced=False, stream=False), "no-store")
    first.send(whole)
    first.read()
    pid = gateway_of(service.pid)
    hit, miss = b"x-penstock-cache: exact", b"x-penstock-cache: miss"
    measure(port, pid, count // 10, lambda _: whole, hit)
    spaced = [request(body(number, spaced=True, stream=False), "") for number in range(1, count // 4 + 9)]
    return {
        "same bytes": measure(port, pid, count, lambda _: whole, hit),
        "stream": measure(port, pid, count // 4, lambda _: stream, hit),
        "other bytes": measure(port, pid, count // 4, lambda number: spaced[number], hit),
        "miss": measure(port, pid, count // 4, lambda _: asked, miss),
    }


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), options.requests)
    is_compiled = not str(compiled_or_not.__file__).endswith(".py")
    print(f"CPU of the gateway, microseconds a request ({'compiled' if is_compiled else 'interpreted'}):")
    for name, value in found.items():
        print(f"  {name:12} {value:6.1f}")
    if options.json is not None:
        row = {
            "id": "exact_hit_us",
            "value": found["same bytes"],
            "ci95": None,
            "n": options.requests,
            "seed": None,
            "target": TARGET_US,
            "met": found["same bytes"] <= TARGET_US,
            "compiled": is_compiled,
            "others": found,
        }
        options.json.write_text(json.dumps([row], indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
