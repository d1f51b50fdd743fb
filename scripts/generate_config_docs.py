"""Write docs/configuration.md and penstock.schema.json from the configuration's types."""

from __future__ import annotations

from pathlib import Path

from penstock.config.reference import reference_text
from penstock.config.schema import SCHEMA_FILE, schema_text

DOCS_FILE = Path(__file__).parent.parent / "docs" / "configuration.md"


def main() -> None:
    """Write both files."""
    DOCS_FILE.parent.mkdir(exist_ok=True)
    DOCS_FILE.write_text(reference_text(), "utf-8")
    SCHEMA_FILE.write_text(schema_text(), "utf-8")


if __name__ == "__main__":
    main()
