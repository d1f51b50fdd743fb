"""The rows of the results: what is measured, in which unit, against which goal (docs/benchmarks.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["at most", "at least"]


@dataclass(frozen=True)
class Goal:
    """A bound."""

    side: Side
    bound: float

    def met(self, value: float) -> bool:
        """Whether a value keeps it."""
        return value <= self.bound if self.side == "at most" else value >= self.bound

    def __str__(self) -> str:
        return f"{'≤' if self.side == 'at most' else '≥'} {self.bound:g}"


@dataclass(frozen=True)
class Row:
    """One measure with a column for each contender."""

    id: str
    title: str
    measure: str
    key: str
    digits: int
    goal: Goal | None = None


@dataclass(frozen=True)
class Ratio:
    """Penstock's value over another contender's: round by round within one measure, else over medians."""

    id: str
    title: str
    measure: str
    key: str
    other: str
    other_measure: str | None = None
    goal: Goal | None = None
    inverse: bool = False


def _most(bound: float) -> Goal:
    return Goal("at most", bound)


def _least(bound: float) -> Goal:
    return Goal("at least", bound)


# fmt: off
ROWS = (
    Row("rps.https", "requests/s, HTTPS upstream", "throughput.https", "per_s", 0),
    Row("rps.http", "requests/s, HTTP upstream", "throughput.http", "per_s", 0),
    Row("cpu.https", "CPU per request, HTTPS upstream (µs)", "throughput.https", "cpu_us", 1, _most(85)),
    Row("cpu.http", "CPU per request, HTTP upstream (µs)", "throughput.http", "cpu_us", 1, _most(55)),
    Row("latency.p50", "latency added at 500/s, p50 (ms)", "latency", "added_p50_ms", 2, _most(0.25)),
    Row("latency.p99", "latency added at 500/s, p99 (ms)", "latency", "added_p99_ms", 2, _most(1.0)),
    Row("chunk.cpu", "CPU per relayed chunk (µs)", "streams", "cpu_us", 1, _most(30)),
    Row("ttft.p50", "TTFT added, 100 streams, p50 (ms)", "streams", "added_ttft_p50_ms", 2, _most(1)),
    Row("ttft.p99", "TTFT added, 100 streams, p99 (ms)", "streams", "added_ttft_p99_ms", 2, _most(5)),
    Row("chunk.p99", "delay added to a chunk, p99 (ms)", "streams", "added_delay_p99_ms", 2),
    Row(
        "idle.https", "memory per idle stream, HTTPS upstream (kB)", "idle.https", "kb_per_stream", 1, _most(80)
    ),
    Row("idle.http", "memory per idle stream, HTTP upstream (kB)", "idle.http", "kb_per_stream", 1, _most(30)),
    Row("idle.count", "… streams that were held open", "idle.http", "streams", 0),
    Row("start", "start to first answer (s)", "start", "first_answer_s", 2, _most(1)),
    Row("governance.memory", "limits and budgets, per request (µs)", "governance", "memory_us", 1, _most(15)),
    Row("governance.leased", "… with leases from an owner (µs)", "governance", "leased_us", 1, _most(15)),
    Row("governance.redis", "… with leases from Redis (µs)", "governance", "redis_us", 1, _most(15)),
    Row("routing", "dearest decision of a policy node, 20 targets (µs)", "routing", "dearest", 1, _most(10)),
    Row("workers.imbalance", "two workers, 64 connections: difference", "workers", "imbalance", 3, _most(0.1)),
    Row("rest.gateway", "memory at rest, gateway process (MB)", "start", "rss_mb", 0, _most(80)),
    Row("rest.all", "memory at rest, all its processes (MB)", "start", "rss_all_mb", 0),
)
# fmt: on


def _rates(other: str, called: str, bound: float | None) -> tuple[Ratio, ...]:
    """Requests/s over another contender's, for both schemes; HTTPS first, since it is the headline."""
    goal = None if bound is None else _least(bound)
    return tuple(
        Ratio(f"{other}.{scheme}", f"requests/s over {called}, {scheme.upper()} upstream",
            f"throughput.{scheme}",
              "per_s", other, goal=goal)
        for scheme in ("https", "http")
    )  # fmt: skip


def _costs(other: str, called: str) -> tuple[Ratio, ...]:
    """The other's CPU per request over ours: the same comparison where wrk or the upstream was the limit."""
    return tuple(
        Ratio(f"{other}.cpu.{scheme}", f"{called} CPU per request over ours, {scheme.upper()} upstream",
              f"throughput.{scheme}", "cpu_us", other, inverse=True)
        for scheme in ("https", "http")
    )  # fmt: skip


RATIOS = (
    *_rates("relay", "the bare relay's", 0.45),
    *_costs("relay", "the bare relay's"),
    *_rates("litellm", "LiteLLM's", 200),
    *_rates("portkey", "Portkey's", 15),
    *_rates("nginx", "nginx proxy_pass's", None),
    Ratio(
        "workers.cpu", "CPU per request, two workers over one", "workers", "cpu_us", "penstock",
        "throughput.http", _most(1.1),
    ),
    Ratio(
        "workers.rps", "requests/s, two workers over one (where there are ≥ 4 cores)", "workers", "per_s",
        "penstock", "throughput.http", _least(1.8),
    ),
)  # fmt: skip

NOT_YET = {
    "translated": "CPU per translated chunk (goal ≤ 60 µs): `python -m bench.translate` measures it by itself"
}
