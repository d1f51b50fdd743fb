"""`python -m bench.semantic_cache --data DIR --json FILE`: the semantic cache's targets, or those named."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from bench.routing_quality.report import Measured
from bench.semantic_cache import budgets, pairing, speed
from bench.semantic_cache.setting import Setting
from penstock.adapters.embedder.onnx import OnnxEmbedder
from penstock.adapters.embedder.place import embedder_folder

PARTS = {**pairing.PARTS, **budgets.PARTS, **speed.PARTS}


def main() -> int:
    """Measure, print a table, write JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m bench.semantic_cache", description=__doc__)
    root = Path(os.environ.get("PENSTOCK_DATA", "../shared"))
    parser.add_argument("--data", type=Path, default=root / "cache", help="folder with the data sets")
    parser.add_argument("--json", type=Path, help="write one JSON object for each target, one a line")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[], help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--rows", type=int, default=0, help="at most so many rows of each data set; 0: all")
    parser.add_argument("--entries", type=int, default=100_000, help="entries of the index for S6")
    parser.add_argument("--cache", type=Path, default=Path(".cache/semantic"), help="where embeddings are kept")
    options = parser.parse_args()
    embedder = OnnxEmbedder(embedder_folder(os.environ))
    setting = Setting(
        options.data, embedder, options.seed, options.rows, options.entries, options.cache / embedder.name
    )
    found: list[Measured] = []
    for name, part in PARTS.items():
        if options.only and name not in options.only:
            continue
        began = time.perf_counter()
        for each in part(setting):
            print(f"{json.dumps(each.as_json())}  # {time.perf_counter() - began:.0f} s", flush=True)
            found.append(each)
        setting.keep()
    if options.json is not None:
        options.json.write_text("".join(f"{json.dumps(each.as_json())}\n" for each in found))
    missed = [each.id for each in found if not each.met]
    print(f"{len(found) - len(missed)} of {len(found)} met{'; missed: ' if missed else ''}{', '.join(missed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
