"""What the compiler is given must mean the same compiled and not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def compiled_files() -> Iterator[Path]:
    """The modules that pyproject.toml names for mypyc."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["mypyc"]
    for name in hook["include"]:
        path = ROOT / name.lstrip("/")
        assert path.exists(), f"{name} is to be compiled and does not exist"
        yield from path.rglob("*.py") if path.is_dir() else [path]


def test_no_compiled_module_defines_a_struct() -> None:
    """A msgspec.Struct in a compiled module loses the annotations that its decoder lives by."""
    found = [str(path.relative_to(ROOT)) for path in compiled_files() if "(msgspec.Struct" in path.read_text()]
    assert found == []
