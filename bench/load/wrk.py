"""Closed-loop load by wrk: as many requests as 64 connections carry."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import payload
from bench.stage import OTHER_CORE, BenchError

CONNECTIONS = 64
MARK = "BENCH "
SCRIPT = """
wrk.method = "POST"
wrk.body = [==[{body}]==]
{headers}
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("{mark}%d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True)
class Burst:
    """What wrk saw."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int

    @property
    def per_s(self) -> float:
        """Answered requests a second."""
        return (self.requests - self.refused) / self.seconds


def write_script(folder: Path, name: str, headers: Mapping[str, str]) -> Path:
    """The request for one contender."""
    path = folder / f"{name}.lua"
    lines = [f'wrk.headers["{key}"] = "{value}"' for key, value in headers.items()]
    lines.append('wrk.headers["content-type"] = "application/json"')
    body = payload.request_body().decode()
    path.write_text(SCRIPT.format(body=body, headers="\n".join(lines), mark=MARK))
    return path


def burst(port: int, script: Path, seconds: float) -> Burst:
    """Load for some whole seconds from the other core. Raises BenchError."""
    command = ["taskset", "-c", str(OTHER_CORE), "wrk", "-t1", f"-c{CONNECTIONS}"]
    command += [f"-d{max(1, round(seconds))}", "--timeout", "30s", "-s", str(script)]
    command += [f"http://127.0.0.1:{port}/v1/chat/completions"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            requests, micros, p50, p99, refused, broken = map(int, line.removeprefix(MARK).split())
            return Burst(requests, micros / 1e6, p50 / 1e3, p99 / 1e3, refused, broken)
    raise BenchError(f"wrk said: {done.stdout} {done.stderr}")
