"""Each test says in a sentence what it holds to be true."""

from __future__ import annotations

import ast

from tests.architecture.sources import functions, parsed, python_files


def test_each_test_has_a_docstring() -> None:
    """The name of a failing test and its sentence must be enough to know what broke."""
    silent = [
        f"{name}:{each.name}"
        for name in python_files("tests", "bench")
        if name.rsplit("/", 1)[-1].startswith("test_")
        for each in functions(name)
        if each.name.startswith("test_") and not ast.get_docstring(each)
    ]
    assert silent == []


def test_each_module_of_the_product_has_a_docstring() -> None:
    """Its first sentence is how somebody decides whether to read on."""
    silent = [
        name
        for name in python_files("src", "scripts")
        if parsed(name).body and not ast.get_docstring(parsed(name))
    ]
    assert silent == []
