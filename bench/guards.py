"""`python -m bench.guards --data DIR --json FILE`: how well detectors do on the targets G1 to G3, and how fast.

DIR is laid out as `../shared/guards`; innocent prompts come from `routing` and `cache` beside it, or from
`$PENSTOCK_DATA` where it has none.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from bench.guard_quality import attacks, credentials, personal, timing
from bench.guard_quality.measured import Measured


def main() -> int:
    """Measure, print a line each, write JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m bench.guards", description=__doc__)
    shared = Path(os.environ.get("PENSTOCK_DATA", "../shared"))
    parser.add_argument("--data", type=Path, default=shared / "guards", help="folder with the data sets")
    parser.add_argument("--json", type=Path, help="write one JSON object for each target, one a line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[], help="some of G1, G2, G3, secrets, times")
    options = parser.parse_args()
    root: Path = options.data if (options.data / "guard_injection").exists() else options.data / "guards"
    benign = root.parent if (root.parent / "routing").exists() else shared
    parts: dict[str, Callable[[], list[Measured]]] = {
        "G3": lambda: personal.g3(root),
        "G2": lambda: attacks.g2(root, options.seed),
        "G1": lambda: attacks.g1(root, benign, options.seed),
        "secrets": lambda: credentials.found(benign, options.seed),
        "times": lambda: timing.times(root, benign),
    }
    found: list[Measured] = []
    for name, part in parts.items():
        if options.only and name not in options.only:
            continue
        for each in part():
            print(json.dumps(each.as_json(options.seed), ensure_ascii=False), flush=True)
            found.append(each)
    if options.json is not None:
        lines = (json.dumps(each.as_json(options.seed), ensure_ascii=False) for each in found)
        options.json.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    missed = [each.id for each in found if not each.met]
    print(
        f"{len(found) - len(missed)} of {len(found)} met" + (f"; missed: {', '.join(missed)}" if missed else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
