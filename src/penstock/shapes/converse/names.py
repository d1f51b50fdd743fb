"""What Bedrock allows as names and ids, and the nearest allowed thing for what it does not.

Patterns of the service model: ToolUseId, DocumentBlockNameString (whose characters the
documentation of DocumentBlock restricts), RequestMetadata.
"""

from __future__ import annotations

import re

from penstock.core.turns import made_id

_TOOL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_NOT_IN_DOCUMENT = re.compile(r"[^a-zA-Z0-9()\[\]-]+")
_METADATA = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}")


def tool_id(call_id: str) -> str:
    """The id itself where it is allowed; else one made from it, the same for the call and its result."""
    return call_id if _TOOL_ID.fullmatch(call_id) else made_id("tooluse_", call_id)


def allowed_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """The entries that Bedrock takes; it takes sixteen."""
    good = [
        (key, value)
        for key, value in metadata.items()
        if _METADATA.fullmatch(key) and (not value or _METADATA.fullmatch(value))
    ]
    return dict(good[:16])


class DocumentNames:
    """Names for the documents of one request: allowed characters, no name twice."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wish: str) -> str:
        """A free name like the wish, without a file name's extension."""
        stem = wish.rpartition("/")[2]
        dot = stem.rfind(".")
        stem = stem[:dot] if dot > 0 and len(stem) - dot <= 5 else stem
        name = base = _NOT_IN_DOCUMENT.sub(" ", stem).strip()[:190] or "document"
        count = 1
        while name in self._taken:
            count += 1
            name = f"{base} {count}"
        self._taken.add(name)
        return name
