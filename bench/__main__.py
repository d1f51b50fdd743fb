"""`python -m bench`: one run of the benchmark. Loopback only; bounded in load and time."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from bench.certificate import make_certificate
from bench.contenders import ABSENT, CONTENDERS
from bench.install import INSTALLERS
from bench.measures import MEASURES
from bench.records import Records
from bench.report.machine import Machine, look_around
from bench.report.write import write_all
from bench.run import Run
from bench.settings import FULL, QUICK, raise_descriptor_limit
from bench.stage import BenchError, Contender
from bench.upstream import start_nginx

TOOLS = ("nginx", "wrk", "taskset", "setpriv")
RESULTS = Path(__file__).resolve().parent / "results"
T = TypeVar("T")
QUICK_CONTENDERS = "penstock,relay,nginx"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure Penstock, its bare relay and its peers side by side."
    )
    parser.add_argument("--quick", action="store_true", help="about two minutes; writes no results folder")
    parser.add_argument("--only", help="contenders, comma-separated: penstock,relay,nginx,portkey,litellm")
    parser.add_argument("--measures", help=f"measures, comma-separated: {','.join(MEASURES)}")
    parser.add_argument("--json", type=Path, help="write the results as JSON to this file too")
    parser.add_argument("--out", type=Path, help="folder for latest.md, latest.json and latest.svg")
    options = parser.parse_args()
    if options.quick and options.only is None:
        options.only = QUICK_CONTENDERS
    if options.out is None and not options.quick:
        options.out = RESULTS
    return options


def _chosen(text: str | None, known: Sequence[T], names: Sequence[str], what: str) -> list[T]:
    wanted = text.split(",") if text else list(names)
    strange = sorted(set(wanted) - set(names))
    if strange:
        sys.exit(f"unknown {what} {', '.join(strange)}; there are {', '.join(names)}")
    return [one for one, name in zip(known, names, strict=True) if name in wanted]


def _contenders(text: str | None, records: Records) -> list[Contender]:
    """Those that were asked for, installed, and can take part; why not is noted for the others."""
    chosen = _chosen(text, CONTENDERS, [one.name for one in CONTENDERS], "contender")
    for one in chosen:
        if one.name in INSTALLERS:
            INSTALLERS[one.name]()
    reasons = {one.name: one.missing() for one in chosen}
    for name, reason in reasons.items():
        if reason is not None:
            records.note("all", name, reason)
    for name, reason in ABSENT.items():
        records.note("all", name, reason)
    return [one for one in chosen if reasons[one.name] is None]


def _measure(options: argparse.Namespace, folder: Path) -> tuple[Run, Machine]:
    records = Records()
    contenders = _contenders(options.only, records)
    machine = look_around(contenders)
    certificate = make_certificate(folder)
    upstream = start_nginx(folder, certificate)
    run = Run(QUICK if options.quick else FULL, contenders, folder, certificate, upstream, records)
    names = list(MEASURES)
    try:
        for name in _chosen(options.measures, names, names, "measure"):
            print(f"{name} …", file=sys.stderr)
            MEASURES[name](run)
    finally:
        upstream.process.end()
    return run, machine


def _stop(number: int, _frame: object) -> None:
    """Leave through every `finally`, so that each process that was started is ended."""
    sys.exit(128 + number)


def main() -> int:
    """Run the measures and write what was seen."""
    options = _options()
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"missing: {', '.join(missing)}; on Debian: apt-get install nginx-light wrk util-linux")
        return 1
    signal.signal(signal.SIGTERM, _stop)
    raise_descriptor_limit()
    folder = Path(tempfile.mkdtemp(prefix="penstock-bench-"))
    folder.chmod(0o755)  # nginx's worker reads it as another user
    started = time.monotonic()
    try:
        run, machine = _measure(options, folder)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(write_all(run, machine, time.monotonic() - started, options.out, options.json))
    return 0


if __name__ == "__main__":
    sys.exit(main())
