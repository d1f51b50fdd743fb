"""How long detectors take, in CPU time of this process."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench.guard_quality.measured import Measured, Value
from bench.guard_quality.personal import rows_of
from bench.guard_quality.sources import innocent
from penstock.guardrails.injection.detector import InjectionDetector
from penstock.guardrails.pii.detector import PiiDetector
from penstock.guardrails.secrets.detector import SecretsDetector
from penstock.ports.guardrail import Detector


def per_text(detector: Detector, texts: list[str], rounds: int = 5) -> list[float]:
    """Seconds for all texts, once a round; the first round warms up and is left out."""
    spent: list[float] = []
    for _ in range(rounds + 1):
        began = time.process_time()
        for text in texts:
            detector.look(text, "user")
        spent.append(time.process_time() - began)
    return spent[1:]


def times(root: Path, benign: Path) -> list[Measured]:
    """G3's time for personal data, and issue 6's for the detectors that stand before every prompt."""
    texts = [row["full_text"] for row in rows_of(root)]
    thousands = sum(map(len, texts)) / 1000
    spent = [each / thousands * 1000 for each in per_text(PiiDetector(), texts)]
    out: list[Measured] = [
        Value(
            "G3.time",
            "ms per 1,000 characters, PII",
            statistics.median(spent),
            1.0,
            len(texts),
            (min(spent), max(spent)),
        )
    ]
    prompts = _kilobytes([each.text for each in innocent(benign)])
    total = 0.0
    for name, detector in (
        ("secrets", SecretsDetector()),
        ("injection", InjectionDetector()),
        ("pii", PiiDetector()),
    ):
        spent = [each / len(prompts) * 1e6 for each in per_text(detector, prompts)]
        middle = statistics.median(spent)
        total += middle if name != "pii" else 0.0
        out.append(
            Value(
                f"time.{name}", "us per prompt of 1 kB", middle, 1000.0, len(prompts), (min(spent), max(spent))
            )
        )
    out.append(
        Value("time.secrets+injection", "us per prompt of 1 kB", total, 300.0, len(prompts), (total, total))
    )
    return out


def _kilobytes(texts: list[str], count: int = 500) -> list[str]:
    """Prompts of 1,000 characters, put together from real ones."""
    joined = "\n".join(text for text in texts[:: max(1, len(texts) // 20_000)] if len(text) > 80)
    return [joined[at : at + 1000] for at in range(0, len(joined) - 1000, 1000)][:count]
