"""From the start of the command to the first answered request, and memory at rest afterwards."""

from __future__ import annotations

import time

from bench.process import rss_bytes
from bench.run import Run
from bench.stage import BenchError, Contender, Stage

MEASURE = "start"
REST_S = 2.0


def start_and_rest(run: Run) -> None:
    """Not pinned: a start may use every core, as it would for a user."""
    for contender in run.contenders:
        for number in range(min(contender.start_runs, run.settings.start_runs)):
            folder = run.folder / f"{MEASURE}-{contender.name}-{number}"
            folder.mkdir(mode=0o755)
            stage = Stage("http", run.upstream.ports["http"], run.certificate, folder)
            try:
                _start(run, contender, stage)
            except BenchError as error:
                run.records.note(MEASURE, contender.name, str(error))


def _start(run: Run, contender: Contender, stage: Stage) -> None:
    one = contender.start(stage, pinned=False)
    try:
        time.sleep(REST_S)
        run.records.add(
            MEASURE,
            one.name,
            first_answer_s=one.process.first_answer_s,
            rss_mb=rss_bytes(one.gateway_pids) / 1e6,
            rss_all_mb=rss_bytes(one.process.tree()) / 1e6,
        )
    finally:
        one.process.end()
