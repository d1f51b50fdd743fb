"""A new user can type what the README says, in its order, and sees what it shows."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

from penstock.bootstrap.supervisor import free_port
from tests.docs.readme_blocks import README, Block, Step, blocks, missing

_VENDOR = re.compile(r"_API_KEY$|_BASE_URL$|^PENSTOCK_")
_START_S = 30.0
SMALL_CURL = Path(__file__).with_name("small_curl.py")


class Terminal:
    """A shell session in an empty folder; `penstock serve` runs beside it, on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = {name: value for name, value in os.environ.items() if not _VENDOR.search(name)}
        self.env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{self.env['PATH']}"
        if shutil.which("curl") is None:
            self.lend_curl()
        self.server: subprocess.Popen[bytes] | None = None
        self.key = ""

    def lend_curl(self) -> None:
        """Put our small curl first on the path."""
        lent = self.folder / "bin" / "curl"
        lent.parent.mkdir()
        lent.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{SMALL_CURL}" "$@"\n')
        lent.chmod(0o755)
        self.env["PATH"] = f"{lent.parent}{os.pathsep}{self.env['PATH']}"

    def here(self, text: str) -> str:
        """The README's port replaced by ours."""
        return text.replace("127.0.0.1:4000", f"127.0.0.1:{self.port}")

    def write(self, block: Block) -> None:
        """Save a file as the README shows it."""
        (self.folder / block.name).write_text(self.here(block.text), "utf-8")

    def type(self, step: Step) -> None:
        """Run a command; it must succeed and print what is promised."""
        command = self.here(step.command)
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.env[name] = self.key if "…" in value else value
            return
        printed = self.serve(command) if command == "penstock serve" else self.run(command)
        assert missing(printed, [self.here(line) for line in step.prints]) == [], printed

    def run(self, command: str) -> str:
        """Run a command to its end."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def serve(self, command: str) -> str:
        """Start the gateway, replacing one that runs, and wait until it answers."""
        self.stop()
        output = self.folder / "serve.txt"
        with output.open("wb") as file:
            self.server = subprocess.Popen(
                [*command.split(), "--listen", f"127.0.0.1:{self.port}"],
                cwd=self.folder,
                env=self.env,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _START_S
        while not self.is_ready():
            assert time.monotonic() < deadline, output.read_text()
            time.sleep(0.05)
        text = output.read_text("utf-8")
        if shown := re.search(r"sk-penstock-\S+", text):
            self.key = shown[0]
        return text

    def is_ready(self) -> bool:
        """Whether the gateway answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        """End the gateway as Ctrl-C does."""
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(60)
            self.server = None


@pytest.fixture
def terminal(tmp_path: Path) -> Generator[Terminal]:
    """A session whose gateway is ended afterwards."""
    session = Terminal(tmp_path)
    yield session
    session.stop()


def test_the_quick_starts_work_as_written(terminal: Terminal) -> None:
    """From an empty folder to a priced row in the ledger, then to a route with a fallback and a budget."""
    marked = blocks()
    assert [block.name for block in marked if block.name == "serve"] == ["serve", "serve"]
    for block in marked:
        if block.kind == "file":
            terminal.write(block)
            continue
        for step in block.steps:
            terminal.type(step)


def test_the_lent_curl_does_what_the_readme_needs(terminal: Terminal) -> None:
    """On a machine without curl the same commands are typed, and the same lines come."""
    terminal.lend_curl()
    test_the_quick_starts_work_as_written(terminal)


def test_a_promise_that_is_not_kept_is_found() -> None:
    """The comparison is not blind: another number, a missing line, and a wrong order are all seen."""
    printed = "a  7  $0.000009\nb  8  $1\n"
    assert missing(printed, ["a 7 $…", "b 8 $1"]) == []
    assert missing(printed, ["a 7 $0.000010"]) == ["a 7 $0.000010"]
    assert missing(printed, ["b 8 $1", "a 7 $…"]) == ["a 7 $…"]
    assert missing(printed, ["c"]) == ["c"]


def test_what_the_detection_prints_for_a_key_is_what_the_readme_shows(terminal: Terminal) -> None:
    """The section about a provider's key needs no network until somebody asks that provider."""
    terminal.env["OPENAI_API_KEY"] = "sk-not-a-real-key"
    shown = README.read_text("utf-8").split("## With a provider's key")[1].split("```")[1]
    promised = [line for line in shown.splitlines()[1:] if not line.startswith("$ ")]
    printed = terminal.serve("penstock serve")
    assert missing(printed, [terminal.here(line) for line in promised]) == [], printed
