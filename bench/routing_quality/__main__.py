"""`python -m bench.routing_quality --data DIR --json FILE`: every target of routing quality, or those named."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from bench.routing_quality import cascading, online, routers
from bench.routing_quality.report import Measured
from bench.routing_quality.vectors import Vectors
from penstock.adapters.embedder.onnx import OnnxEmbedder
from penstock.adapters.embedder.place import embedder_folder
from penstock.inference.training import MOST_TOKENS

PARTS = {**routers.PARTS, **cascading.PARTS, **online.PARTS}


def main() -> int:
    """Measure, print a table, write JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing_quality", description=__doc__)
    root = Path(os.environ.get("PENSTOCK_DATA", "../shared"))
    parser.add_argument("--data", type=Path, default=root / "routing", help="folder with the data sets")
    parser.add_argument("--json", type=Path, help="write one JSON object for each target, one a line")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", nargs="*", default=[], help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--cache", type=Path, default=Path(".cache/routing"), help="where embeddings are kept")
    options = parser.parse_args()
    embedder = OnnxEmbedder(embedder_folder(os.environ), most_tokens=MOST_TOKENS)
    vectors = Vectors(embedder, options.cache)
    setting = routers.Setting(options.data, vectors, vectors.name, options.seeds, embedder.embed)
    found: list[Measured] = []
    for name, part in PARTS.items():
        if options.only and name not in options.only:
            continue
        began = time.perf_counter()
        measured = part(setting)
        vectors.keep()
        for each in measured:
            print(f"{json.dumps(each.as_json())}  # {time.perf_counter() - began:.0f} s", flush=True)
        found += measured
    if options.json is not None:
        options.json.write_text("".join(f"{json.dumps(each.as_json())}\n" for each in found))
    missed = [each.id for each in found if not each.met]
    print(
        f"{len(found) - len(missed)} of {len(found)} met" + (f"; missed: {', '.join(missed)}" if missed else "")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
