"""The master key, wherever it is kept: it encrypts data keys and nothing else (envelope encryption)."""

from __future__ import annotations

from typing import Protocol

from penstock.ports.secrets import UnsealError


class KmsError(UnsealError):
    """The master key is missing, malformed, refused or out of reach; says how to mend it, never the key."""


class Kms(Protocol):
    """Wraps data keys of 32 bytes. Calls may block on a network."""

    @property
    def id(self) -> str:
        """Names the master key without giving it away; another key has another name."""
        ...

    def wrap(self, data_key: bytes, name: str) -> bytes:
        """The data key encrypted, bound to its name.

        Raises:
            KmsError: the key store refuses or cannot be reached.
        """
        ...

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """The data key again.

        Raises:
            KmsError: as `wrap`; or it was wrapped by another master key, under another name, or changed since.
        """
        ...
