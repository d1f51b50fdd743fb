"""S6: how long a look-up takes, embedding included, among many entries, on one thread."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.routing_quality.report import Measured
from bench.semantic_cache.pairs import groups
from bench.semantic_cache.setting import Setting
from penstock.inference.questions import Questions
from penstock.inference.semantic import SemanticService, Wish

ASKED = 400
DAY_MS = 86_400_000
DIGEST = 32
MOST_TOKENS = 32


def look_ups(setting: Setting) -> Iterator[Measured]:
    """A namespace with `setting.entries` questions; our own questions are asked, half of them known."""
    rng = np.random.default_rng(setting.seed)
    space, context = b"s" * DIGEST, b"c" * DIGEST
    known = [text for group in groups("questions.txt") for text in group.same]
    with tempfile.TemporaryDirectory() as folder:
        questions = Questions(Path(folder), setting.embedder.dimensions, setting.embedder.name)
        # Others are random directions: what they say does not matter for the time that finding takes.
        for begin in range(0, setting.entries, 10_000):
            count = min(10_000, setting.entries - begin)
            made = rng.standard_normal((count, setting.embedder.dimensions)).astype(np.float32)
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            texts = [f"question number {begin + i}" for i in range(count)]
            questions.add_many(space + context, texts, made, begin, DAY_MS)
        service = SemanticService(setting.embedder, questions, rng)
        for number, text in enumerate(known[::2]):
            service.keep(space, context, text, b"k%031d" % number, DAY_MS)
        # A process that was up for longer has forgotten what it read.
        service = SemanticService(setting.embedder, questions, rng)
        times: list[float] = []
        work: list[float] = []
        for number in range(ASKED):
            # Never the same text twice, or it would be read from memory.
            text = f"{known[number % len(known)]}{' ' * (number // len(known))}"
            began, cpu = time.perf_counter(), time.process_time()
            service.look(space, context, text, Wish(), 0)
            times.append((time.perf_counter() - began) * 1e3)
            work.append((time.process_time() - cpu) * 1e3)
    p50, p99 = (float(np.percentile(times[20:], q)) for q in (50, 99))
    cpu50, cpu99 = (round(float(np.percentile(work[20:], q)), 3) for q in (50, 99))
    n, detail = setting.entries, {"CPU ms, p50": cpu50, "CPU ms, p99": cpu99, "GPTCache": "120 to 260 ms"}
    yield Measured("S6.p50_ms", "look-up with embedding and verifier", (p50,), "<= 5", p50 <= 5, n, detail)
    yield Measured("S6.p99_ms", "the same", (p99,), "<= 15", p99 <= 15, n)


PARTS: dict[str, Callable[[Setting], Iterator[Measured]]] = {"S6": look_ups}
