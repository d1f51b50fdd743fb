"""The one key that a set-up without keys begins with: made once, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path

ADMIN_KEY = "admin"


def make_admin_key(path: Path) -> str:
    """A new key, its hash stored at `path` (0600), replacing an earlier one; returns what to show."""
    secret = f"sk-penstock-{secrets.token_urlsafe(32)}"
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"name": ADMIN_KEY, "sha256": hashlib.sha256(secret.encode()).hexdigest()}, file)
    draft.replace(path)
    return secret


def stored_hash(path: Path) -> str | None:
    """The hash of the key that was made, None where there is none."""
    try:
        return str(json.loads(path.read_text())["sha256"])
    except (OSError, ValueError, KeyError):
        return None
