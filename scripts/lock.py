"""Write the hashed lock files from pyproject.toml; needs `uv` on PATH or in the environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGETS = {
    "requirements/runtime.lock": ["pyproject.toml"],
    "requirements/dev.lock": ["pyproject.toml", "--group", "dev"],
    "requirements/aws.lock": ["pyproject.toml", "--extra", "aws", "--constraint", "requirements/dev.lock"],
    "requirements/google.lock": [
        "pyproject.toml",
        "--extra",
        "google",
        "--constraint",
        "requirements/dev.lock",
    ],
    "requirements/postgres.lock": [
        "pyproject.toml",
        "--extra",
        "postgres",
        "--constraint",
        "requirements/dev.lock",
    ],
    "requirements/semantic.lock": [
        "pyproject.toml",
        "--extra",
        "semantic",
        "--constraint",
        "requirements/dev.lock",
    ],
    "requirements/build.lock": ["--group", "build", "--constraint", "requirements/dev.lock"],
    "requirements/installer.lock": ["--group", "installer"],
}
_CLIENTS = "clients-"


def targets() -> dict[str, list[str]]:
    """Lock files and what they are made from; each group of clients in pyproject.toml has one of its own."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    clients = sorted(name for name in groups if name.startswith(_CLIENTS))
    return TARGETS | {
        f"requirements/clients/{name.removeprefix(_CLIENTS)}.lock": ["--group", name] for name in clients
    }


def main(words: list[str]) -> int:
    """Resolve each target for Python 3.11 and later on every platform, without naming any index.

    Words that end in `.lock` choose among the targets; other words go to uv.
    """
    uv = shutil.which("uv")
    if uv is None:
        print("uv is missing: pip install uv", file=sys.stderr)
        return 1
    chosen = [word for word in words if word.endswith(".lock")]
    options = [word for word in words if word not in chosen]
    for target, sources in targets().items():
        if chosen and target not in chosen:
            continue
        (ROOT / target).parent.mkdir(exist_ok=True)
        command = [
            uv, "pip", "compile", *sources, "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header",
            "--quiet", "--output-file", target, *options,
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=True)
        print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
