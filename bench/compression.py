"""How much shorter prompts become, and what a lossy pass loses.

`python -m bench.compression --data DIR [--json FILE]`. Lossless: characters saved over recorded requests
(`corpus`), each put back and compared. Lossy: a document of 60 sentences holds one that a paraphrase asks for
(`cache/gptcache_bench`); counted is how often that sentence is kept.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from penstock.core.chat import ChatRequest
from penstock.core.compressing import compressed, restored
from penstock.core.extracting import shortened
from penstock.core.extracting import words_of as words
from penstock.core.turns import text_of
from penstock.dialects.registry import chat_dialect

_SHAPES = {
    "openai.chat": "openai.chat",
    "anthropic.messages": "anthropic",
    "openai.responses": "openai.responses",
}
SENTENCES = 60
KEEPS = (0.5, 0.3, 0.15)


def requests(data: Path) -> Iterator[ChatRequest]:
    """The recorded chat requests that can be read."""
    with gzip.open(data / "corpus" / "corpus_open.jsonl.gz", "rt") as lines:
        for line in lines:
            row = cast("dict[str, Any]", json.loads(line))
            body = row["request"].get("json")
            shape = _SHAPES.get(str(row.get("api")))
            if shape is None or not isinstance(body, dict):
                continue
            try:
                yield chat_dialect(shape).decode_request(cast("dict[str, Any]", body), "m", stream=False)
            except ValueError:
                continue


def lossless(data: Path) -> dict[str, Any]:
    """Savings over the recorded requests; `broken` counts those that do not come back."""
    count = long = before = saved = broken = 0
    spent_s = 0.0
    for chat in requests(data):
        chars = sum(len(text_of(message.parts)) for message in chat.messages)
        begun = time.process_time()
        made = compressed(chat)
        spent_s += time.process_time() - begun
        broken += restored(made.chat, made.styles) != chat
        count, before, saved = count + 1, before + chars, saved + made.saved
        long += made.saved > 0
    return {
        "id": "lossless", "n": count, "shorter": long, "saved_share": round(saved / max(1, before), 4),
        "broken": broken, "us_per_request": round(spent_s / max(1, count) * 1e6, 1),
    }  # fmt: skip


def lossy(data: Path, keep: float, seed: int, rounds: int) -> dict[str, Any]:
    """How often the sentence that a paraphrase asks for is kept."""
    with (data / "cache" / "gptcache_bench" / "mock_data.jsonl").open() as lines:
        pairs = [cast("dict[str, str]", json.loads(line)) for line in lines if line.strip()]
    draw = random.Random(seed)
    found = 0
    left = total = 0
    for _ in range(rounds):
        chosen = draw.sample(pairs, SENTENCES)
        asked = draw.choice(chosen)
        document = " ".join([pair["origin"].strip() for pair in chosen])
        cut = shortened(document, words(asked["similar"]), keep)
        found += asked["origin"].strip() in cut
        left, total = left + len(cut), total + len(document)
    return {
        "id": f"lossy {keep}", "n": rounds, "seed": seed, "kept_share": round(left / total, 3),
        "needle_kept": round(found / rounds, 4),
    }  # fmt: skip


def main() -> None:
    """Measure and print; with --json, one object a line into a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1000)
    options = parser.parse_args()
    rows = [
        lossless(options.data),
        *[lossy(options.data, keep, options.seed, options.rounds) for keep in KEEPS],
    ]
    for row in rows:
        print(json.dumps(row))
    if options.json is not None:
        options.json.write_text("".join([json.dumps(row) + "\n" for row in rows]))


if __name__ == "__main__":
    main()
