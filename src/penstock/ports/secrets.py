"""Sealing of secret values that must be stored."""

from __future__ import annotations

from typing import Protocol


class UnsealError(Exception):
    """A sealed value cannot be opened: another master key, or damaged bytes. Never carries the value."""


class SecretBox(Protocol):
    """Encrypts and authenticates short values with a key that stands elsewhere."""

    def seal(self, plain: bytes) -> bytes:
        """The value encrypted; sealing twice gives different bytes."""
        ...

    def unseal(self, sealed: bytes) -> bytes:
        """The value again.

        Raises:
            UnsealError: the bytes were sealed with another key, or changed since.
        """
        ...
