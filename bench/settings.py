"""How long and how often: the full run, and the quick one for developers."""

from __future__ import annotations

import resource
from dataclasses import dataclass

DESCRIPTORS_KEPT = 200


@dataclass(frozen=True)
class Settings:
    """Durations in seconds. Rounds are interleaved over the contenders, and medians are taken over them."""

    rounds: int = 5
    warm_s: float = 1.0
    burst_s: float = 6.0
    latency_rounds: int = 3
    latency_s: float = 10.0
    latency_rate: int = 500
    stream_rounds: int = 3
    stream_s: float = 10.0
    streams: int = 100
    events: int = 100
    hz: float = 50.0
    idle_streams: int = 10_000
    idle_settle_s: float = 3.0
    start_runs: int = 5


FULL = Settings()
QUICK = Settings(
    rounds=2,
    burst_s=3.0,
    latency_rounds=1,
    latency_s=4.0,
    stream_rounds=1,
    stream_s=5.0,
    idle_streams=1_000,
    idle_settle_s=1.0,
    start_runs=2,
)


def raise_descriptor_limit() -> int:
    """Lift the soft limit of open files to the hard one, for us and all that we start; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def idle_streams_possible() -> int:
    """How many streams one process can hold: each takes a descriptor on either side."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (hard - DESCRIPTORS_KEPT) // 2
