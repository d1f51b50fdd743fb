"""Files and functions stay small enough to be read at once, and are named for what they hold."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.sources import CODE, ROOT, functions, python_files

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PIPELINE_LINES = 150
BANNED = frozenset({"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"})


def test_files_have_fewer_than_400_lines() -> None:
    """A longer file holds more than one thing and is cut by kind of content."""
    sizes = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in python_files(*CODE)}
    assert {name: size for name, size in sizes.items() if size >= MAX_FILE_LINES} == {}


def test_functions_have_fewer_than_60_lines() -> None:
    """A longer function does more than its name says."""
    sizes = {
        f"{name}:{each.name}": (each.end_lineno or each.lineno) - each.lineno + 1
        for name in python_files(*CODE)
        for each in functions(name)
    }
    assert {name: size for name, size in sizes.items() if size >= MAX_FUNCTION_LINES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    """`utils` and its kin become the place for what nobody placed."""
    named = [
        name
        for name in python_files(*CODE)
        if BANNED & {part.removesuffix(".py").lstrip("_") for part in Path(name).parts}
    ]
    assert named == []


def test_the_list_of_stages_stays_short() -> None:
    """Somebody who looks for a request's way finds it in one file of less than 150 lines."""
    lists = [name for name in python_files("src") if name.endswith("/pipeline/stages.py")]
    sizes = {name: len((ROOT / name).read_text("utf-8").splitlines()) for name in lists}
    assert {name: size for name, size in sizes.items() if size >= MAX_PIPELINE_LINES} == {}
