"""How control reads what others publish on the web."""

from __future__ import annotations

from typing import Any, Protocol


class FetchError(Exception):
    """A document cannot be had; the message says which one and why."""


class Fetch(Protocol):
    """Fetches JSON."""

    def __call__(self, url: str) -> dict[str, Any]:
        """The object at a URL. Raises FetchError."""
        ...
