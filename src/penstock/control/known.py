"""What control knew when it published last, in a file that a start can read before any database is up."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from penstock.ports.control_store import Item


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All items of the newest revision that this machine has published, their secrets sealed.

    `number` is that revision's; `file` the digest (`config.merge.digest_of`) of the file that this machine took
    last. A rollback leaves it, so that a file which has not changed since does not undo the rollback.
    """

    number: int
    file: str
    items: list[Item]


def read_known(path: Path) -> Known | None:
    """What was kept, None where nothing was, or nothing that this version can read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Known)
    except (OSError, msgspec.MsgspecError):
        return None


def write_known(path: Path, known: Known) -> None:
    """Keep it, for the owner alone: after a crash there is the old file or the new one. Raises OSError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(known))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
