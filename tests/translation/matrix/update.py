"""Write the golden matrix's snapshots anew, for a reviewer to read as a diff."""

from __future__ import annotations

from tests.translation.matrix.golden import FOLDER, file_of, snapshot
from tests.translation.matrix.sides import DIALECTS, TARGETS

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for target in TARGETS:
        for dialect in DIALECTS:
            file_of(target, dialect).write_text(snapshot(target, dialect), "utf-8")
