"""Memory per open idle stream: the gateway's resident set before and after, divided by their number."""

from __future__ import annotations

import time

from bench.process import rss_bytes
from bench.run import Load, Run
from bench.settings import idle_streams_possible
from bench.stage import BenchError, Contender, Running, Scheme, Stage
from bench.upstream import start_metered

WARM_SHARE = 10


def idle_memory_http(run: Run) -> None:
    """Over plain HTTP."""
    _idle(run, "http")


def idle_memory_https(run: Run) -> None:
    """Over an HTTPS upstream."""
    _idle(run, "https")


def _idle(run: Run, scheme: Scheme) -> None:
    upstream = start_metered(run.folder, run.certificate, scheme, ["--idle"])
    measure = f"idle.{scheme}"
    try:
        for contender in run.contenders:
            folder = run.folder / f"{measure}-{contender.name}"
            folder.mkdir(mode=0o755)
            stage = Stage(scheme, upstream.ports[scheme], run.certificate, folder, streaming=True)
            try:
                _hold(run, measure, contender, stage)
            except BenchError as error:
                run.records.note(measure, contender.name, str(error))
    finally:
        upstream.process.end()


def _warm(one: Running, streams: int) -> None:
    with Load("idle", one.port, one.headers, streams=streams) as load:
        load.result()
        load.close_input()
        load.result()


def hold(one: Running, streams: int, settle_s: float) -> dict[str, float]:
    """Open so many idle streams through it, let them stand, and close them: what that took."""
    before = rss_bytes(one.gateway_pids)
    with Load("idle", one.port, one.headers, streams=streams) as load:
        opened = load.result()
        time.sleep(settle_s)
        after = rss_bytes(one.gateway_pids)
        load.close_input()
        held = load.result()["open_at_end"]
    if not held:
        raise BenchError("no stream stayed open")
    return {
        "kb_per_stream": (after - before) / held / 1000,
        "streams": held,
        "opened_in_s": opened["seconds"],
        "rss_before_mb": before / 1e6,
        "rss_after_mb": after / 1e6,
    }


def _hold(run: Run, measure: str, contender: Contender, stage: Stage) -> None:
    """One contender alone, warmed with some streams that end again, so that only open ones are counted."""
    wanted = min(contender.idle_streams, run.settings.idle_streams, idle_streams_possible())
    one = contender.start(stage)
    try:
        _warm(one, wanted // WARM_SHARE)
        time.sleep(run.settings.idle_settle_s)
        seen = hold(one, wanted, run.settings.idle_settle_s)
    finally:
        one.process.end()
    run.records.add(measure, one.name, **seen)
    if seen["streams"] < wanted:
        run.records.note(measure, one.name, f"{seen['streams']:.0f} of {wanted} streams stayed open")
