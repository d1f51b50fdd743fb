"""Build the wheel with its hot path compiled: `python scripts/build_wheel.py [--pure] OUTPUT_DIR`.

The build runs on a copy of the tracked files, since a compiler leaves extension modules beside the sources and
those would silently win over every later edit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def copy_tracked(target: Path) -> None:
    """The files that git tracks or would track, as they are now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source, copy = ROOT / name, target / name
        if source.is_file():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


def main() -> int:
    """Build, and name the wheel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--pure", action="store_true", help="without compiled modules")
    options = parser.parse_args()
    if not options.pure and not (shutil.which("cc") or shutil.which("gcc")):
        print(
            "no C compiler here; building the pure wheel, which runs the same code more slowly", file=sys.stderr
        )
        options.pure = True
    env = {**os.environ} if options.pure else {**os.environ, "HATCH_BUILD_HOOKS_ENABLE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        copy_tracked(Path(folder))
        command = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "-w",
            str(options.output.absolute()),
        ]
        subprocess.run([*command, folder], check=True, env=env)
    for wheel in sorted(options.output.glob("penstock-*.whl")):
        print(wheel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
