"""What is made from the types is current, complete and importable where it must be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from msgspec import inspect

from penstock.config.document import Document
from penstock.config.reference import reference_text
from penstock.config.schema import SCHEMA_FILE, field_docs, schema, schema_text, unwrapped

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


def structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """Every struct of the document outside policies."""
    kind, reads = unwrapped(kind)
    if reads:
        return
    if isinstance(kind, inspect.StructType):
        yield kind
        for field in kind.fields:
            yield from structs(field.type)
    elif isinstance(kind, inspect.DictType):
        yield from structs(kind.value_type)
    elif isinstance(kind, inspect.VarTupleType):
        yield from structs(kind.item_type)


def test_the_shipped_schema_is_current() -> None:
    """Run scripts/generate_config_docs.py after a change of the types."""
    assert SCHEMA_FILE.read_text("utf-8") == schema_text()


def test_the_reference_is_current() -> None:
    """Run scripts/generate_config_docs.py after a change of the types."""
    assert DOCS.read_text("utf-8") == reference_text()


def test_every_field_is_explained_and_nothing_else() -> None:
    """A docstring has exactly the fields that the file takes, by their names in the file."""
    for kind in structs(inspect.type_info(Document)):
        assert list(field_docs(kind.cls)) == [field.encode_name for field in kind.fields], kind.cls


def test_every_struct_is_frozen_and_strict() -> None:
    """A document never changes under its readers, and never takes an unknown key."""
    for kind in structs(inspect.type_info(Document)):
        config = cast("Any", kind.cls).__struct_config__
        assert (config.frozen, config.forbid_unknown_fields) == (True, True), kind.cls


def test_every_reference_of_the_schema_resolves() -> None:
    """No `$ref` points nowhere."""
    whole = schema()

    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in cast("dict[str, Any]", value).items():
                if key == "$ref":
                    yield inner
                else:
                    yield from references(inner)
        elif isinstance(value, list):
            for inner in cast("list[Any]", value):
                yield from references(inner)

    found = set(references(whole))
    assert found
    assert found <= {f"#/$defs/{name}" for name in whole["$defs"]}
    assert msgspec.json.decode(schema_text()) == msgspec.json.decode(msgspec.json.encode(whole))


@pytest.mark.parametrize(
    "module", ["penstock.config.document", "penstock.config.snapshot", "penstock.config.detect"]
)
def test_the_gateway_can_import_without_the_heavy_libraries(module: str) -> None:
    """Types, snapshots and detection need no YAML, no command line, no prices and no cryptography."""
    heavy = ["ruamel", "click", "rich", "genai_prices", "cryptography", "asyncio"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
