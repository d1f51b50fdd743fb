"""The Containerfile's promises that can be seen without building it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Containerfile").read_text("utf-8")


def arguments(instruction: str) -> list[str]:
    """What follows each line of one instruction, continuation lines included."""
    joined = TEXT.replace("\\\n", " ")
    return re.findall(rf"^{instruction} +(.+)$", joined, re.MULTILINE)


def test_two_stages_start_from_the_official_image() -> None:
    """The image's name has no host, so it comes from where the reader's own tool takes images."""
    assert [line.split()[0] for line in arguments("FROM")] == ["python:${PYTHON}"] * 2


def test_it_runs_without_rights() -> None:
    """The last user is not root, and nothing after it changes that."""
    assert arguments("USER") == ["penstock"]


def test_packages_come_from_hashed_locks() -> None:
    """Every install of a package checks hashes, or installs the wheel that was just built and nothing else."""
    installs = [part for run in arguments("RUN") for part in run.split("&&") if "pip install" in part]
    assert installs
    assert all("--require-hashes -r" in part or "--no-deps dist/" in part for part in installs)


def test_what_it_copies_exists_and_is_sent_to_the_builder() -> None:
    """A file that .dockerignore holds back, or that was renamed, would break the build for others only."""
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [name for line in arguments("COPY") if "--from" not in line for name in line.split()[:-1]]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert name.split("/")[0] in sent, name


def test_it_says_whether_it_is_healthy_and_stops_in_order() -> None:
    """A health check on the port that is exposed, and the signal that drains."""
    assert arguments("EXPOSE") == ["4000"]
    assert "127.0.0.1:4000/healthz" in TEXT
    assert arguments("STOPSIGNAL") == ["SIGTERM"]
