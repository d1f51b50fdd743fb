"""The scripts that run in Redis: one call each for what has to happen at once (docs/adr/0022)."""

from __future__ import annotations

import hashlib
from pathlib import Path

_HERE = Path(__file__).parent
# Those about a counter share their beginning.
ON_COUNTERS = ("turn", "introduce", "seed", "reap", "bury")
OTHERS = ("epoch", "beat")


class Script:
    """A script's text, and the SHA-1 by which Redis calls it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def load() -> dict[str, Script]:
    """All of them by name."""
    begin = (_HERE / "counter.lua").read_text("utf-8")
    found = {name: Script(f"{begin}\n{(_HERE / f'{name}.lua').read_text('utf-8')}") for name in ON_COUNTERS}
    return found | {name: Script((_HERE / f"{name}.lua").read_text("utf-8")) for name in OTHERS}
