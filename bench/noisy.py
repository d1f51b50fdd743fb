"""What a noisy neighbour costs, with real sockets: `python -m bench.noisy`.

Nine quiet ones and a noisy one at a hundred times their load meet at one deployment with twenty slots, once as
ten organisations and once as ten users of one organisation. Requests come at random times (Poisson), whatever
became of those before; answers take 0.3 s in the middle, nine of ten within 0.12 and 0.7. Printed, and written
with `--json`: the 99th percentile of the quiet ones' answers alone and together, and the ratio with a
bootstrapped interval. Nothing is asserted: `tests/fairness` does that, in virtual time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.process import free_port, spawn

SLOTS = 20
MEDIAN_S, SIGMA = 0.3, 0.52
QUIET_RATE = 0.67
NAMES = tuple(f"t{number}" for number in range(10))
TARGET = 1.2
ROUNDS = 1000
CONFIG = """
version: 1
server: {{listen: "127.0.0.1:{port}", state_dir: "{folder}/state"}}
providers:
  up: {{kind: openai, base_url: "http://127.0.0.1:{upstream}/v1", api_key: sk-up}}
deployments:
  model:
    {{provider: up, model: m, price: {{request: 0.01}}, limits: {{concurrency: {slots}}},
     queue: {{size: 2000, wait_s: 20}}}}
orgs: {{crowd: {{}}, {orgs}}}
routes: {{chat: {{policy: model, timeouts: {{total_s: 300}}}}}}
keys:
{keys}
"""
ANSWER = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }
).encode()
BODY = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}).encode()


def config_of(port: int, upstream: int, folder: Path) -> str:
    """Ten organisations with a key each, and ten users of one more."""
    keys = [f"  - {{name: {name}, secret: sk-{name}, org: {name}, routes: [chat]}}" for name in NAMES]
    keys += [
        f"  - {{name: u-{name}, secret: sk-u-{name}, org: crowd, user: {name}, routes: [chat]}}"
        for name in NAMES
    ]
    return CONFIG.format(
        port=port,
        upstream=upstream,
        folder=folder,
        slots=SLOTS,
        orgs=", ".join(f"{name}: {{}}" for name in NAMES),
        keys="\n".join(keys),
    )


async def message(reader: asyncio.StreamReader) -> bytes:
    """The first line of one HTTP message, its body read. Raises asyncio.IncompleteReadError."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0
    )
    await reader.readexactly(length)
    return lines[0]


async def serve(seed: int) -> asyncio.Server:
    """An upstream whose answers take as long as they do."""
    rng = random.Random(seed)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await message(reader)
                await asyncio.sleep(MEDIAN_S * rng.lognormvariate(0.0, SIGMA))
                head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                writer.write(head % len(ANSWER) + ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


class Clients:
    """Connections to the gateway, used again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, key: str) -> tuple[int, float]:
        """Status and seconds of one request."""
        began = time.perf_counter()
        reader, writer = (
            self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        )
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-{key}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(BODY)}\r\n\r\n"
        writer.write(head.encode() + BODY)
        status = int((await message(reader)).split(b" ")[1])
        self._free.append((reader, writer))
        return status, time.perf_counter() - began


async def phase(port: int, prefix: str, seconds: float, seed: int, *, noisy: bool) -> dict[str, list[float]]:
    """The times of all answers, by who asked; what was refused is left out."""
    rng = random.Random(seed)
    clients = Clients(port)
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    tasks: set[asyncio.Task[None]] = set()

    async def one(name: str) -> None:
        status, took_s = await clients.ask(prefix + name)
        if status == 200:
            found[name].append(took_s)

    async def come(name: str, rate: float) -> None:
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            await asyncio.sleep(min(rng.expovariate(rate), end - now))
            task = asyncio.get_running_loop().create_task(one(name))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    coming = [come(name, QUIET_RATE) for name in NAMES[1:]]
    if noisy:
        coming.append(come(NAMES[0], 100 * QUIET_RATE))
    await asyncio.gather(*coming)
    while tasks:
        await asyncio.gather(*list(tasks))
    return found


def p99(times: Sequence[float]) -> float:
    """By nearest rank."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def ratio_of(alone: list[float], together: list[float], seed: int) -> dict[str, Any]:
    """How far the percentile moved, with the middle 95 % of bootstrapped ratios."""
    rng = random.Random(seed)
    drawn = sorted(
        p99(rng.choices(together, k=len(together))) / p99(rng.choices(alone, k=len(alone)))
        for _ in range(ROUNDS)
    )
    value = p99(together) / p99(alone)
    return {
        "value": round(value, 3),
        "ci95": [round(drawn[int(ROUNDS * 0.025)], 3), round(drawn[int(ROUNDS * 0.975)], 3)],
        "n": len(together),
        "p99_alone_s": round(p99(alone), 3),
        "p99_together_s": round(p99(together), 3),
        "target": TARGET,
        "met": value <= TARGET,
    }


def quiet_of(found: dict[str, list[float]]) -> list[float]:
    """The times of all but the noisy one."""
    return [each for name in NAMES[1:] for each in found[name]]


async def run(seconds: float, seed: int) -> list[dict[str, Any]]:
    """Both games on one gateway."""
    upstream = await serve(seed)
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = Path(folder) / "penstock.yaml"
        config.write_text(config_of(port, upstream.sockets[0].getsockname()[1], Path(folder)))
        command = [sys.executable, "-m", "penstock.cli", "serve", "-c", str(config)]
        gateway = spawn("penstock", command, Path(folder) / "log")
        try:
            await ready(port)
            for prefix, kind in (("", "tenants"), ("u-", "users")):
                alone = await phase(port, prefix, seconds, seed + 1, noisy=False)
                together = await phase(port, prefix, seconds, seed + 1, noisy=True)
                told = ratio_of(quiet_of(alone), quiet_of(together), seed)
                loud = together[NAMES[0]]
                results.append(
                    {
                        "id": f"noisy_{kind}_p99_ratio",
                        "seed": seed,
                        **told,
                        "noisy_p99_s": round(p99(loud), 3),
                        "noisy_n": len(loud),
                    }
                )
        finally:
            gateway.end()
    upstream.close()
    return results


async def ready(port: int) -> None:
    """Until the gateway answers. Raises TimeoutError."""
    deadline = time.monotonic() + 30
    while True:
        try:
            status, _ = await Clients(port).ask(NAMES[1])
        except (OSError, asyncio.IncompleteReadError):
            status = 0
        if status == 200:
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the gateway does not answer")
        await asyncio.sleep(0.1)


def main() -> None:
    """Run it and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each of the four phases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the results there")
    given = parser.parse_args()
    results = asyncio.run(run(given.seconds, given.seed))
    for each in results:
        low, high = each["ci95"]
        quiet = f"quiet p99 {each['p99_alone_s']} s alone, {each['p99_together_s']} s together (n {each['n']})"
        sys.stdout.write(
            f"{each['id']}: {each['value']} [{low}, {high}]; {quiet}; noisy p99 {each['noisy_p99_s']} s\n"
        )
    if given.json is not None:
        given.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
