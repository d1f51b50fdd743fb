"""`python scripts/train_verifier.py`: fit the weights of the verifier and say how well they do.

The pairs are those of `bench/semantic_cache/pairs`, written for this project. What is printed is measured by
leaving whole groups out. An embedder must be installed (`penstock embedder install`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.semantic_cache.own import OwnPairs, weights_of
from penstock.adapters.embedder.onnx import OnnxEmbedder
from penstock.adapters.embedder.place import embedder_folder

OUT = Path(__file__).parents[1] / "src" / "penstock" / "cache" / "verifier.json"


def main() -> int:
    """Fit, write, print."""
    own = OwnPairs.of(OnnxEmbedder(embedder_folder(os.environ)))
    made = weights_of(own.rows, own.same)
    OUT.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
    print(f"{len(own.same)} pairs, {int(own.same.sum())} of which may share an answer")
    told = own.verified()
    for same, word in ((1.0, "may share"), (0.0, "may not")):
        served = [each.same for each, label in zip(told, own.same, strict=True) if label == same]
        print(f"served of those that {word}: {sum(served) / len(served):.3f}")
    print({name: round(weight, 2) for name, weight in zip(made.names, made.weights, strict=True)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
