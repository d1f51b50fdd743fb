"""What guards cost: a 1 kB prompt screened, and each chunk of a guarded stream.

`python -m bench.guard_engine [--json FILE]`. The engine is measured without a network: the request's body is
parsed, its texts are found, all guards look, and the body is patched where something was found. Of streams,
what a chunk costs between attempt and client. CPU time, best of several rounds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from penstock.config.document import Guard as GuardConfig
from penstock.config.needs import LATER
from penstock.core.screen_plan import Guard
from penstock.guardrails.bodies import rewritten, screened_slots
from penstock.guardrails.cutting import cutter_of
from penstock.guardrails.docket import Docket
from penstock.guardrails.kinds import detector_of
from penstock.guardrails.stream import GuardedStream
from penstock.guardrails.texts.events import reader_of
from penstock.guardrails.texts.slots import request_slots
from penstock.wire.json_paths import strict_json

WANTED = ("regex", "secrets", "injection")
PROMPT_US, CHUNK_US = 300.0, 20.0
_PROSE = (
    "please summarise the attached report for the board and list every open question with its owner and the "
    "date by which it has to be answered since the meeting was moved to next thursday afternoon"
)
_WORDS = _PROSE.split()


def guards(kinds: tuple[str, ...], action: str) -> list[Guard]:
    """Guards of these kinds, as far as they are built."""
    found: list[Guard] = []
    for kind in kinds:
        if kind in LATER:
            continue
        patterns = (r"\bPROJ-\d{4,8}\b", r"(?i)internal use only") if kind == "regex" else ()
        config = GuardConfig(kind=kind, patterns=patterns)
        redacts = "block" if kind == "injection" else action
        found.append(
            Guard(kind, kind, "redact" if redacts == "redact" else "block", detector=detector_of(config))
        )
    return found


def text_of(size: int, salt: int) -> str:
    """So many characters of prose, different for each salt."""
    words: list[str] = []
    length = at = 0
    while length < size:
        word = _WORDS[(at * 7 + salt) % len(_WORDS)]
        words.append(word)
        length += len(word) + 1
        at += 1
    return " ".join(words)[:size]


def best_us(work: Callable[[int], None], times: int, rounds: int) -> float:
    """CPU microseconds for one call, in the best round."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time_ns()
        for number in range(times):
            work(number)
        best = min(best, (time.process_time_ns() - began) / times / 1_000)
    return best


def prompt_us(chosen: list[Guard]) -> float:
    """A 1 kB prompt through the whole engine."""
    bodies = [
        json.dumps({"model": "m", "messages": [{"role": "user", "content": text_of(1_000, salt)}]}).encode()
        for salt in range(50)
    ]

    def work(number: int) -> None:
        body = bodies[number % len(bodies)]
        value = strict_json(body)
        docket = Docket()
        rewritten(body, value, screened_slots(chosen, request_slots(value), docket))
        if docket.blocked is not None:
            raise SystemExit(f"a guard stopped the prompt: {docket.notes()}")

    return best_us(work, 500, 5)


def chunk_us(chosen: list[Guard]) -> float:
    """One chunk of a chat stream, with these guards."""
    read = reader_of("openai.chat")
    assert read is not None
    text = text_of(2_000, 3)
    pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [
        b"data: %b\n\n" % json.dumps({**head, "choices": [{"index": 0, "delta": {"content": each}}]}).encode()
        for each in pieces
    ]

    def work(number: int) -> None:
        del number
        docket = Docket()
        stream = GuardedStream(chosen, docket, read, cutter_of("sse"), restore=False)
        for chunk in chunks:
            stream.feed(chunk)
        stream.finish(b"data: [DONE]\n\n")
        if docket.blocked is not None:
            raise SystemExit(f"a guard stopped the stream: {docket.notes()}")

    return best_us(work, 10, 5) / len(chunks)


def main() -> int:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write one JSON object per target there")
    options = parser.parse_args()
    streamed = tuple(kind for kind in WANTED if kind != "injection")
    measures = {
        "guard_prompt_us": (prompt_us(guards(WANTED, "redact")), PROMPT_US),
        "guard_chunk_us": (chunk_us(guards(streamed, "redact")), CHUNK_US),
        "guard_chunk_pii_us": (chunk_us(guards((*streamed, "pii"), "redact")), CHUNK_US),
    }
    rows = [
        {
            "id": name,
            "value": round(value, 1),
            "ci95": None,
            "n": 5,
            "seed": 0,
            "target": target,
            "met": value <= target,
        }
        for name, (value, target) in measures.items()
    ]
    for row in rows:
        verdict = "met" if row["met"] else "MISSED"
        print(f"{row['id']:<20} {row['value']:>7} µs   at most {row['target']} µs   {verdict}")
    if options.json is not None:
        options.json.write_text("".join([json.dumps(row) + "\n" for row in rows]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
