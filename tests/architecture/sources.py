"""The files that the architecture tests look at: what git tracks, or what lies in a copy without git."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("src", "tests", "bench", "scripts")
_IGNORED = frozenset({".git", ".venv", ".cache", "__pycache__", "node_modules", "dist", "build", ".env"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked() -> tuple[str, ...]:
    """Paths of all files of the repository, relative to its root; new ones that are not ignored included."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        names = listed.split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    return tuple(
        sorted(
            name for name in names if name and not _IGNORED & {*Path(name).parts} and (ROOT / name).is_file()
        )
    )


def python_files(*folders: str) -> list[str]:
    """Python files below some folders."""
    return [name for name in tracked() if name.endswith(".py") and name.split("/")[0] in folders]


@cache
def parsed(name: str) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse((ROOT / name).read_text("utf-8"), name)


def functions(name: str) -> Iterator[Function]:
    """Every function and method of a file, nested ones included."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def text_files() -> Iterator[tuple[str, str]]:
    """Name and content of every file that is UTF-8 text."""
    for name in tracked():
        try:
            yield name, (ROOT / name).read_text("utf-8")
        except UnicodeDecodeError:
            continue
