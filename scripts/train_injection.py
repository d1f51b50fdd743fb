"""Trains the classifier of prompt injection: `python scripts/train_injection.py --data DIR`.

DIR holds `guards`, `routing` and `cache`; of them only rows whose licence is stated are learnt from (each
folder's SOURCE.md). The rest is written for this project, in `bench/guard_quality/material`. Single-threaded,
some minutes; the same data gives the same file.

`--folds` also writes one file for each family left out, with which `python -m bench.guards` measures how well
the classifier does on attacks that it has not seen.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.guard_quality.learning import train  # noqa: E402 - after the number of threads is set
from penstock.guardrails.injection.model import SHIPPED  # noqa: E402

FOLDS = Path(__file__).resolve().parents[1] / "bench" / "guard_quality" / "folds"
LEFT_OUT = ("cyberseceval", "garak", "notinject")


def main() -> int:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("PENSTOCK_DATA", "../shared")))
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the classifier is written")
    parser.add_argument("--folds", action="store_true", help="also those with one family left out")
    parser.add_argument("--only-folds", nargs="*", default=[], help="only these families left out")
    options = parser.parse_args()
    if not options.only_folds:
        train(options.data, options.out, frozenset(), print)
    for family in options.only_folds or (LEFT_OUT if options.folds else ()):
        FOLDS.mkdir(exist_ok=True)
        train(options.data, FOLDS / f"{family}.bin", frozenset({family}), print)
    return 0


if __name__ == "__main__":
    sys.exit(main())
