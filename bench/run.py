"""What all measures of one run need: settings, contenders, upstream; and a fleet that takes turns."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.process import DIES_WITH_US
from bench.records import Records
from bench.settings import Settings
from bench.stage import OTHER_CORE, BenchError, Certificate, Contender, Running, Stage
from bench.upstream import Upstream

LOAD_GRACE_S = 60.0


@dataclass(frozen=True)
class Run:
    """One run of the benchmark."""

    settings: Settings
    contenders: Sequence[Contender]
    folder: Path
    certificate: Certificate
    upstream: Upstream
    records: Records


@contextlib.contextmanager
def fleet(run: Run, measure: str, stage: Stage) -> Generator[list[Running]]:
    """All contenders, started and frozen; ended and their folder removed afterwards."""
    stage.folder.mkdir(mode=0o755)
    started: list[Running] = []
    try:
        for contender in run.contenders:
            try:
                running = contender.start(stage)
            except BenchError as error:
                run.records.note(measure, contender.name, str(error))
                continue
            started.append(running)
            time.sleep(0.2)
            running.freeze()
        yield started
    finally:
        for running in started:
            running.process.end()
        shutil.rmtree(stage.folder, ignore_errors=True)


@contextlib.contextmanager
def turn(running: Running) -> Generator[Running]:
    """The only contender that is on the CPU for a while."""
    running.thaw()
    try:
        yield running
    finally:
        running.freeze()


class Load:
    """A load generator of ours (a module under bench.load) on the other core."""

    def __init__(self, module: str, port: int, headers: Mapping[str, str], **options: float) -> None:
        command = [
            *DIES_WITH_US,
            "taskset",
            "-c",
            str(OTHER_CORE),
            sys.executable,
            "-m",
            f"bench.load.{module}",
        ]
        command += ["--port", str(port), "--headers", json.dumps(dict(headers))]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self._name = module
        self._popen = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self) -> str:
        """The next line that it prints. Raises BenchError if it ends without one."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline().strip()
        if not line:
            raise BenchError(f"the load generator {self._name} ended early")
        return line

    def result(self) -> dict[str, float]:
        """The next JSON object that it prints; what was not measured (null) is NaN."""
        return json.loads(self.line())

    def close_input(self) -> None:
        """Tell it to finish."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait for its end; where something went wrong, or it takes too long, make it end."""
        if kind is not None:
            self._popen.kill()
        try:
            self._popen.wait(LOAD_GRACE_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
