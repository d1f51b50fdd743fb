"""The tags that a request carries, and the names among them that have a column of their own."""

from __future__ import annotations

from typing import Final

from penstock.core.errors import Refusal

MAX_TAGS: Final = 32
MAX_LENGTH: Final = 256


def read_tags(header: bytes | None, metadata: dict[str, str], locked: dict[str, str]) -> dict[str, str]:
    """Tags from the header (`a=1,b=2`), then from the dialect's own metadata; the key's own tags win.

    Raises Refusal where the header cannot be read or is too large; metadata beyond the bounds is left out,
    since it was not written for us.
    """
    if not header and not metadata:
        return locked
    tags: dict[str, str] = {}
    for name, value in metadata.items():
        if len(tags) < MAX_TAGS and len(name) <= MAX_LENGTH:
            tags[name] = value[:MAX_LENGTH]
    if header:
        for pair in header.decode("utf-8", "replace").split(","):
            name, equals, value = (part.strip() for part in pair.partition("="))
            if not name and not value:
                continue
            if not equals or not name or len(name) > MAX_LENGTH or len(value) > MAX_LENGTH:
                raise Refusal(
                    "bad_tags", "write x-penstock-tags as name=value,name=value; each up to 256 characters"
                )
            tags[name] = value
    if len(tags) > MAX_TAGS:
        raise Refusal("bad_tags", f"a request carries at most {MAX_TAGS} tags")
    tags.update(locked)
    return tags
