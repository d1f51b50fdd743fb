"""The outage game with real sockets, side by side with LiteLLM's router: `python -m bench.outage`.

Three upstreams follow a script of outages, 429 storms, a brown-out, broken and senseless answers. Requests come
at a fixed rate, whatever became of those before. Printed, and written with `--json`, per contender: the share
of clients that were served, latencies, calls beyond one for each request, how long from a failed call to
the next one, and how soon traffic comes back. The same script is played in virtual time in
`tests/routing/test_outage_game.py`; numbers depend on the machine, and both contenders have the same.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.contenders import litellm as lite
from bench.outage_upstreams import LENGTH_S, SCRIPT, Call, Upstreams
from bench.process import Process, free_port, spawn

RATE = 10.0
KEY = "sk-bench-outage"
PATIENCE_S = 30.0
START_S = 90.0
# How long Penstock leaves a target alone at most before it tries again.
INTERVAL_S = 10.0
PENSTOCK = """
version: 1
server: {{listen: "127.0.0.1:{port}", state_dir: "{folder}/state"}}
providers:
  u0: {{kind: openai, base_url: "http://127.0.0.1:{u0}/v1", api_key: sk-up}}
  u1: {{kind: openai, base_url: "http://127.0.0.1:{u1}/v1", api_key: sk-up}}
  u2: {{kind: openai, base_url: "http://127.0.0.1:{u2}/v1", api_key: sk-up}}
routes:
  chat:
    policy: {{hedge: {{of: [u0/m, u1/m, u2/m], after: p95, max_percent: 5}}}}
    timeouts: {{connect_s: 2, first_event_s: 10, idle_s: 10, total_s: 20}}
keys: [{{name: bench, secret: {key}, routes: [chat]}}]
"""
LITELLM = """
model_list:
  - model_name: chat
    litellm_params: {{model: openai/m, api_base: "http://127.0.0.1:{u0}/v1", api_key: sk-up}}
  - model_name: chat-1
    litellm_params: {{model: openai/m, api_base: "http://127.0.0.1:{u1}/v1", api_key: sk-up}}
  - model_name: chat-2
    litellm_params: {{model: openai/m, api_base: "http://127.0.0.1:{u2}/v1", api_key: sk-up}}
router_settings: {{num_retries: 1, timeout: 20, fallbacks: [{{chat: [chat-1, chat-2]}}]}}
litellm_settings: {{telemetry: false}}
general_settings: {{master_key: {key}}}
"""


@dataclass
class Asked:
    """One client's request: seconds from when it was due."""

    number: int
    due: float
    took_s: float = PATIENCE_S
    good: bool = False
    status: int = 0


@dataclass
class Result:
    """What one contender did."""

    name: str
    asked: list[Asked]
    calls: list[Call]
    began: float
    gaps_s: dict[str, list[float]] = field(default_factory=dict[str, list[float]])


async def ask(port: int, asked: Asked) -> None:
    """One request on a connection of its own."""
    body = json.dumps(
        {"model": "chat", "messages": [{"role": "user", "content": f"request-{asked.number}-ends"}]}
    ).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n"
        f"content-type: application/json\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    writer = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode() + body)
            text = await reader.read(-1)
        asked.took_s = time.monotonic() - asked.due
        asked.status = int(text[9:12] or 0)
        asked.good = asked.status == 200 and b"Good day." in text
    except (OSError, TimeoutError, ValueError):
        asked.took_s = time.monotonic() - asked.due
    finally:
        if writer is not None:
            writer.close()


async def play(name: str, port: int, upstreams: Upstreams) -> Result:
    """Ask as the script runs."""
    upstreams.calls.clear()
    upstreams.began = time.monotonic()
    began, everybody, tasks = upstreams.began, list[Asked](), list[asyncio.Task[None]]()
    async with asyncio.TaskGroup() as group:
        for number in range(int(LENGTH_S * RATE)):
            due = began + number / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked = Asked(number, due)
            everybody.append(asked)
            tasks.append(group.create_task(ask(port, asked)))
    result = Result(name, everybody, [call for call in upstreams.calls if call.request >= 0], began)
    upstreams.began = 0.0
    result.gaps_s = gaps(result)
    return result


def gaps(result: Result) -> dict[str, list[float]]:
    """By what failed: seconds from a failed call's end to the next call for the same request."""
    by_request: dict[int, list[Call]] = {}
    for call in result.calls:
        by_request.setdefault(call.request, []).append(call)
    found: dict[str, list[float]] = {"503": [], "429": [], "garbage": []}
    for calls in by_request.values():
        calls.sort(key=lambda call: call.began_s)
        for call, following in pairwise(calls):
            at = call.began_s - result.began
            for start, end, which, what in SCRIPT:
                spoilt = which == call.upstream and start <= at < end and not call.good
                if spoilt and what in found and call.ended_s and following.upstream != call.upstream:
                    found[what].append(max(0.0, following.began_s - call.ended_s))
    # A refused connection is no call: what is seen is how late the first call comes after the request was due.
    first = {number: calls[0] for number, calls in by_request.items()}
    refused = [start for start, _, _, what in SCRIPT if what == "refused"]
    found["refused"] = [
        first[asked.number].began_s - asked.due
        for asked in result.asked
        if asked.number in first
        and first[asked.number].upstream != 0
        and any(start + 0.1 <= asked.due - result.began < start + 1.5 for start in refused)
    ]
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """An order statistic."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def interval(values: Sequence[float], of: Callable[[Sequence[float]], float], seed: int) -> list[float]:
    """The middle 95 % of a statistic over 300 samples drawn anew."""
    draw = random.Random(seed)
    found = sorted(of(draw.choices(values, k=len(values))) for _ in range(300)) if values else []
    return [round(found[7], 5), round(found[292], 5)] if found else []


def back_after(result: Result, upstream: int, end: float) -> float:
    """Seconds from the end of an outage to the next good answer of that upstream."""
    times = [call.began_s - result.began for call in result.calls if call.upstream == upstream and call.good]
    return min([at - end for at in times if at >= end], default=float("inf"))


def objects(result: Result, seed: int) -> list[dict[str, Any]]:
    """One object per measure."""
    took = [asked.took_s for asked in result.asked]
    good = [float(asked.good) for asked in result.asked]
    back = [
        back_after(result, which, end)
        for _, end, which, what in SCRIPT
        if which == 0 and what not in {"slow", "half"}
    ]

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    def p99(values: Sequence[float]) -> float:
        return quantile(values, 0.99)

    def p50(values: Sequence[float]) -> float:
        return quantile(values, 0.5)

    rows: list[tuple[str, Sequence[float], Callable[[Sequence[float]], float], str, float]] = [
        ("success", good, mean, ">=", 0.999),
        ("p50_s", took, p50, "<=", 1.0),
        ("p99_s", took, p99, "<=", 2.0),
        ("recovery_s", back, max, "<=", INTERVAL_S + 1.0),
    ]
    rows += [(f"fallback_{what}_s", values, p50, "<=", 0.05) for what, values in result.gaps_s.items()]
    found: list[dict[str, Any]] = []
    for name, values, of, sign, goal in rows:
        value = of(values) if values else float("nan")
        met = value >= goal if sign == ">=" else value <= goal
        found.append(
            {
                "id": f"{result.name}.{name}", "value": round(value, 5), "ci95": interval(values, of, seed),
                "n": len(values), "seed": seed, "target": f"{sign} {goal}", "met": met,
            }
        )  # fmt: skip
    extra = len(result.calls) / len(result.asked) - 1.0
    found.append(
        {
            "id": f"{result.name}.extra_load", "value": round(extra, 5), "ci95": [], "n": len(result.calls),
            "seed": seed, "target": "<= 0.2", "met": extra <= 0.2,
        }
    )  # fmt: skip
    return found


async def ready(port: int, process: Process) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        probe = Asked(10**9, time.monotonic())
        await ask(port, probe)
        if probe.good:
            return
        if process.popen.poll() is not None:
            break
        await asyncio.sleep(0.3)
    raise SystemExit(f"{process.name} did not start:\n{process.last_words()}")


async def contend(name: str, folder: Path, seed: int, program: str) -> list[dict[str, Any]]:
    """Start one contender, play, end it."""
    upstreams = Upstreams(seed)
    for upstream in range(3):
        await upstreams.open(upstream)
    u0, u1, u2 = upstreams.ports
    port = free_port()
    config = folder / f"{name}.yaml"
    text = PENSTOCK if name == "penstock" else LITELLM
    config.write_text(text.format(port=port, folder=folder, u0=u0, u1=u1, u2=u2, key=KEY))
    if name == "penstock":
        command = [program, "serve", "-c", str(config)]
    else:
        command = [program, "--config", str(config), "--host", "127.0.0.1"]
        command += ["--port", str(port)]
    env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    process = spawn(name, command, folder / f"{name}.log", env=env, cwd=folder)
    follower = asyncio.ensure_future(upstreams.follow())
    try:
        await ready(port, process)
        result = await play(name, port, upstreams)
    finally:
        follower.cancel()
        process.end()
        for server in upstreams.servers:
            if server is not None:
                server.close()
    return objects(result, seed)


def main() -> int:
    """Play with each contender, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="where to write one object per measure")
    parser.add_argument("--data", type=Path, help="taken for the sake of uniformity: the script needs no data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("penstock", "litellm"))
    parser.add_argument("--penstock", type=Path, default=Path(sys.executable).with_name("penstock"))
    parser.add_argument("--litellm", type=Path, default=lite.HOME / "bin" / "litellm")
    options = parser.parse_args()
    names = [options.only] if options.only else ["penstock", "litellm"]
    programs = {"penstock": options.penstock, "litellm": options.litellm}
    if "litellm" in names and not options.litellm.exists():
        print("litellm is left out: python -m bench.install installs it", file=sys.stderr)
        names.remove("litellm")
    found: list[dict[str, Any]] = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            found += asyncio.run(contend(name, Path(folder), options.seed, str(programs[name])))
    for each in found:
        print(
            f"{each['id']:<28} {each['value']:>10.4f}  {each['target']:<8} {'met' if each['met'] else 'MISSED'}"
        )
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if all(each["met"] for each in found if each["id"].startswith("penstock.")) else 1


if __name__ == "__main__":
    sys.exit(main())
