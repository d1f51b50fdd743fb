"""Where and with what a run was made."""

from __future__ import annotations

import datetime as dt
import os
import platform
import ssl
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.stage import Contender


@dataclass(frozen=True)
class Machine:
    """Facts that a reader needs to judge the numbers."""

    date: str
    cpu: str
    cores: int
    memory_gb: int
    kernel: str
    virtual: bool
    load_before: float
    python: str
    openssl: str
    wrk: str
    versions: dict[str, str]

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def _field(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def look_around(contenders: Sequence[Contender]) -> Machine:
    """Ask the machine and the contenders, before anything runs."""
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return Machine(
        date=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        cpu=_field("/proc/cpuinfo", "model name"),
        cores=os.cpu_count() or 0,
        memory_gb=round(int(_field("/proc/meminfo", "MemTotal").split()[0]) / 2**20),
        kernel=platform.release(),
        virtual="hypervisor" in _field("/proc/cpuinfo", "flags").split(),
        load_before=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
        openssl=ssl.OPENSSL_VERSION,
        wrk=" ".join((wrk.stdout or wrk.stderr).split()[1:2]),
        versions={one.name: one.version() for one in contenders},
    )
