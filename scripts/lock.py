"""Write the hashed lock files from pyproject.toml; needs `uv` on PATH or in the environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
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
    "requirements/build.lock": ["--group", "build", "--constraint", "requirements/dev.lock"],
    "requirements/clients-langchain.lock": ["--group", "clients-langchain"],
}


def main() -> int:
    """Resolve each target for Python 3.11 and later on every platform, without naming any index."""
    uv = shutil.which("uv")
    if uv is None:
        print("uv is missing: pip install uv", file=sys.stderr)
        return 1
    for target, sources in TARGETS.items():
        command = [
            uv, "pip", "compile", *sources, "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header",
            "--quiet", "--output-file", target, *sys.argv[1:],
        ]  # fmt: skip
        subprocess.run(command, cwd=ROOT, check=True)
        print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
