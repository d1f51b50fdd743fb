"""Programs from Debian's packages for tests, unpacked into a folder of their own; the system stays as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

MINUTES_S = 300
_SITE = re.compile(r"https?://\S*?/debian/?(?=\s|$)")


class MissingError(Exception):
    """The tool cannot be had here; the message says what is missing and how to get it."""


def said_by(error: BaseException) -> str:
    """An error in one line, a command's own last words if it had any."""
    if isinstance(error, subprocess.CalledProcessError):
        words = [line for line in str(error.stderr or error.stdout or "").splitlines() if line.strip()]
        return f"`{Path(str(error.cmd[0])).name}` failed: {words[-1].strip() if words else error.returncode}"
    return str(error)


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        check=True,
        capture_output=True,
        text=True,
        timeout=MINUTES_S,
    )
    return done.stdout


def debian_mirror() -> str:
    """The mirror that this machine's apt uses. Raises MissingError."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingError("it comes from Debian's packages, and there is no apt-get here")
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    text = "".join(file.read_text(errors="replace") for file in sources if file.is_file())
    with suppress(subprocess.SubprocessError):
        text = run("apt-get", "indextargets", "--format", "$(SITE)") + text
    found = _SITE.search(text)
    if found is None:
        raise MissingError("no Debian mirror in this machine's apt sources")
    return found[0]


def unpack_unstable(folder: Path, packages: tuple[str, ...]) -> Path:
    """Debian's unstable packages, unpacked here; where their libraries are. Raises MissingError."""
    apt = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial", "state", "debs"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (apt / "sources.list").write_text(f"deb [signed-by={key}] {debian_mirror()} sid main\n")
    settings = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": apt / "state",
        "Dir::State::Lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
    }
    (apt / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    run("apt-get", "-qc", apt / "apt.conf", "update")
    run("apt-get", "-qc", apt / "apt.conf", "download", *packages, cwd=apt / "debs")
    for package in (apt / "debs").glob("*.deb"):
        run("dpkg-deb", "-x", package, folder / "root")
    shutil.rmtree(apt)
    return one(folder, "root/usr/lib/*-linux-gnu")


def one(folder: Path, pattern: str) -> Path:
    """The first file by this pattern. Raises MissingError."""
    for found in sorted(folder.glob(pattern)):
        return found
    raise MissingError(f"the packages hold no {pattern}")
