"""Sets up the peers in environments of their own, from the locks beside this file; never twice for one lock."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ENVIRONMENTS = HERE / ".env"
LIMIT_S = 900


def _run(command: Sequence[str], cwd: Path) -> bool:
    """Whether the command succeeded; its words are shown where it did not."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"  {error}", file=sys.stderr)
        return False
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
    return done.returncode == 0


def _stamped(name: str, lock: Path) -> Path | None:
    """The stamp file to write after an installation; None if this lock is installed already."""
    ENVIRONMENTS.mkdir(exist_ok=True)
    stamp = ENVIRONMENTS / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    return None if stamp.exists() else stamp


def install_litellm() -> None:
    """`litellm[proxy]` into bench/.env/litellm, every file checked against its hash."""
    lock = HERE / "requirements-litellm.lock"
    stamp = _stamped("litellm", lock)
    if stamp is None:
        return
    print("installing LiteLLM's proxy into bench/.env/litellm …", file=sys.stderr)
    home = ENVIRONMENTS / "litellm"
    python = str(home / "bin" / "python")
    if _run([sys.executable, "-m", "venv", str(home)], HERE) and _run(
        [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)], HERE
    ):
        stamp.touch()


def install_portkey() -> None:
    """Portkey's gateway into bench/portkey/node_modules; no package's script is run."""
    lock = HERE / "portkey" / "package-lock.json"
    stamp = _stamped("portkey", lock)
    if stamp is None or shutil.which("npm") is None:
        return
    print("installing Portkey's gateway into bench/portkey …", file=sys.stderr)
    if _run(["npm", "ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"], HERE / "portkey"):
        stamp.touch()


def install_penstock() -> None:
    """This checkout as users install it: the wheel with its hot path compiled, in bench/.env/penstock."""
    home = ENVIRONMENTS / "penstock"
    state = hashlib.sha256()
    for source in sorted([*(ROOT / "src").rglob("*.py"), ROOT / "pyproject.toml"]):
        state.update(source.read_bytes())
    ENVIRONMENTS.mkdir(exist_ok=True)
    stamp = ENVIRONMENTS / f"penstock-{state.hexdigest()[:16]}"
    if stamp.exists():
        return
    print("building Penstock's wheel into bench/.env/penstock …", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    wheels = ENVIRONMENTS / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    if (
        _run([sys.executable, "-m", "venv", str(home)], ROOT)
        and _run([sys.executable, "scripts/build_wheel.py", str(wheels)], ROOT)
        and _run([*pip, "--require-hashes", "-r", "requirements/runtime.lock"], ROOT)
        and _run([*pip, "--no-deps", *[str(wheel) for wheel in wheels.glob("*.whl")]], ROOT)
    ):
        stamp.touch()


INSTALLERS = {"penstock": install_penstock, "litellm": install_litellm, "portkey": install_portkey}
