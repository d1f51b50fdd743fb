"""Ten thousand streams that stand open in one gateway process, by the benchmark's own tools."""

from __future__ import annotations

import resource
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from bench.certificate import make_certificate
from bench.contenders.penstock import Penstock
from bench.measures.idle import hold
from bench.settings import idle_streams_possible, raise_descriptor_limit
from bench.stage import Scheme, Stage
from bench.upstream import start_metered
from tests.service.service import logs, until

STREAMS = 10_000
SETTLE_S = 1.0
FEW = 10  # what it may keep besides: connections to the upstream that are idle, the journal's next segment


@pytest.fixture
def descriptors() -> Iterator[int]:
    """The hard limit of open files, as soft limit for what the test starts."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield raise_descriptor_limit()
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def open_files(pid: int) -> int:
    """How many descriptors a process has."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("taskset") is None,
    reason="the benchmark's tools need Linux with util-linux",
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_ten_thousand_idle_streams_stand_in_one_process(
    scheme: Scheme, tmp_path: Path, descriptors: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """All are held, or as many as half the hard file limit lets; when they go each has its one row."""
    wanted = min(STREAMS, idle_streams_possible())
    certificate = make_certificate(tmp_path)
    upstream = start_metered(tmp_path, certificate, scheme, ["--idle"])
    try:
        stage = Stage(scheme, upstream.ports[scheme], certificate, tmp_path, streaming=True)
        one = Penstock(command=(sys.executable, "-m", "penstock.cli")).start(stage)
        try:
            at_rest = open_files(one.gateway_pids[0])
            seen = hold(one, wanted, SETTLE_S)
            until(lambda: open_files(one.gateway_pids[0]) <= at_rest + FEW)
            (state,) = tmp_path.glob("penstock-*/state")
            rows = logs(state)
        finally:
            one.process.end()
    finally:
        upstream.process.end()
    with capsys.disabled():
        limit = f"of {STREAMS}; the hard limit of open files is {descriptors}"
        print(f"\n{scheme}: {seen['streams']:.0f} streams {limit}; {seen['kb_per_stream']:.1f} kB")  # noqa: T201
    assert seen["streams"] == wanted
    assert wanted == STREAMS or wanted > descriptors // 2 - 200
    ids = Counter(cast("str", row["request_id"]) for row in rows)
    assert max(ids.values()) == 1
    outcomes = Counter(cast("str", row["outcome"]) for row in rows)
    assert outcomes["cancelled"] >= wanted
