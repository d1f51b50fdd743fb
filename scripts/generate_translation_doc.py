"""Write docs/translation.md from the loss table; with --measure, measure the table first and write it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.translation.matrix.classify import measured_replies, measured_requests  # noqa: E402
from tests.translation.matrix.table import FILE, Cells, read, written  # noqa: E402 - a script is no package

DOCS_FILE = ROOT / "docs" / "translation.md"
_TABLES = "<!-- tables -->\n"


def _rows(rows: dict[str, Cells]) -> str:
    columns = list(next(iter(rows.values())))
    lines = [f"| feature | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| `{feature}` | {' | '.join([row[each] for each in columns])} |" for feature, row in rows.items()
    ]
    return "\n".join(lines) + "\n"


def document() -> str:
    """The page: what is written by hand, and the tables below the mark."""
    told = DOCS_FILE.read_text("utf-8").partition(_TABLES)[0]
    tables = read(FILE.read_text("utf-8"))
    requests, replies = _rows(tables["requests"]), _rows(tables["replies"])
    return f"{told}{_TABLES}\n### Requests, by target\n\n{requests}\n### Replies, by client\n\n{replies}"


def main(arguments: list[str]) -> int:
    """Write the file, or both."""
    if "--measure" in arguments:
        FILE.write_text(written({"requests": measured_requests(), "replies": measured_replies()}), "utf-8")
    DOCS_FILE.write_text(document(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
