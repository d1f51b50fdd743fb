"""The measures of the performance budget; each is a function that takes a Run and adds Records."""

from __future__ import annotations

from collections.abc import Callable

from bench.measures.governance import governance
from bench.measures.idle import idle_memory_http, idle_memory_https
from bench.measures.latency import latency_added
from bench.measures.routing import routing
from bench.measures.start import start_and_rest
from bench.measures.streams import streamed_chunks
from bench.measures.throughput import throughput_http, throughput_https
from bench.measures.workers import two_workers
from bench.run import Run

MEASURES: dict[str, Callable[[Run], None]] = {
    "start": start_and_rest,
    "throughput.http": throughput_http,
    "throughput.https": throughput_https,
    "latency": latency_added,
    "streams": streamed_chunks,
    "idle.http": idle_memory_http,
    "idle.https": idle_memory_https,
    "workers": two_workers,
    "governance": governance,
    "routing": routing,
}
