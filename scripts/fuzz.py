"""Fuzz every decoder and encoder with atheris for a number of seconds: `make fuzz SECONDS=60`.

Atheris is not among the locked tools: `.venv/bin/pip install atheris` where a wheel for this Python exists.
Seeds are the matrix's own probes, and the recordings where they are. The input's first bytes choose a seed, a
shape and its changes, so that nearly every input is JSON of a plausible form.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def _recorded(kinds: dict[str, str], member: str) -> dict[str, list[Any]]:
    """Recorded bodies by shape; none where the recordings are not."""
    from tests.translation.recordings import exchanges  # noqa: PLC0415 - instrumented when it is imported

    if not (Path(os.environ.get("PENSTOCK_DATA", "../shared")) / "corpus").is_dir():
        return {}
    found: dict[str, list[Any]] = {}
    for api, shape in kinds.items():
        values = [getattr(each, member) for each in exchanges(api) if len(each.body) < 8000]
        found.setdefault(shape, []).extend([value for value in values if isinstance(value, dict)])
    return found


def main(arguments: list[str]) -> int:
    """Run until the seconds are over or something is found."""
    seconds = arguments[0] if arguments else "60"
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        print("atheris is not installed: .venv/bin/pip install atheris")
        return 2
    with atheris.instrument_imports(include=["penstock"]):
        attack: Any = importlib.import_module("tests.translation.matrix.attack")
        sides: Any = importlib.import_module("tests.translation.matrix.sides")
    asking = {api: shape for api, shape in sides.APIS.items() if shape in sides.DIALECTS}
    asked, told = _recorded(asking, "request"), _recorded(sides.APIS, "json")
    requests = {shape: attack.request_seeds(shape) + asked.get(shape, []) for shape in sides.DIALECTS}
    replies = {shape: attack.reply_seeds(shape) + told.get(shape, []) for shape in attack.PROVIDERS}
    streams = {shape: attack.stream_seeds(shape) for shape in attack.PROVIDERS}

    def one(data: bytes) -> None:
        source = atheris.FuzzedDataProvider(data)
        what = source.ConsumeIntInRange(0, 3)
        draw = random.Random(source.ConsumeInt(4))
        if what == 0:
            shape = draw.choice(sides.DIALECTS)
            attack.attack_request(shape, attack.mutated(draw.choice(requests[shape]), draw, 6))
            return
        shape = draw.choice(attack.PROVIDERS)
        if what == 1:
            attack.attack_reply(shape, attack.mutated(draw.choice(replies[shape]), draw, 6))
        elif what == 2:
            events = draw.choice(streams[shape])
            changed = [(name, attack.mutated(value, draw)) for name, value in events]
            attack.attack_stream(shape, [(name, json.dumps(value).encode()) for name, value in changed])
        else:
            body = source.ConsumeBytes(source.remaining_bytes())
            attack.attack_framer(body, draw.randint(0, len(body)))

    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=4096"], one)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
