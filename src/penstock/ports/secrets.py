"""Sealing of secret values that must be stored, and fetching of those that stand elsewhere."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class UnsealError(Exception):
    """A sealed value cannot be opened: another key, or damaged bytes. Never carries the value."""


class FetchError(Exception):
    """A secret cannot be fetched from where it is kept; says what to do, never a value.

    `away`: nobody answers there, so that it is no use to ask for another one now.
    """

    def __init__(self, message: str, *, away: bool = False) -> None:
        super().__init__(message)
        self.away = away


class SecretBox(Protocol):
    """Encrypts and authenticates short values for one purpose, with a key that stands elsewhere."""

    def seal(self, plain: bytes) -> bytes:
        """The value encrypted; sealing twice gives different bytes.

        Raises:
            UnsealError: there is no key to seal with.
        """
        ...

    def unseal(self, sealed: bytes) -> bytes:
        """The value again.

        Raises:
            UnsealError: sealed with another key or for another purpose, or changed since.
        """
        ...


class Fetched(NamedTuple):
    """A secret's value, and for how long it is good (seconds; 0 where its keeper does not say)."""

    value: str
    lease_s: float

    def __repr__(self) -> str:
        return f"Fetched({self.lease_s:g} s)"


class SecretStore(Protocol):
    """Where secrets are kept that the configuration only names. Calls block on a network."""

    def fetch(self, place: str) -> Fetched:
        """The secret at a place such as `secret/data/openai#api_key`.

        Raises:
            FetchError: it is not there, not allowed, or nobody answers.
        """
        ...


class SealedStore(Protocol):
    """Something that keeps sealed values and can seal them anew with the data key in force."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def data_keys(self) -> dict[str, int]:
        """How many of its values each data key has sealed, by the key's id."""
        ...

    def reseal(self) -> int:
        """Seal with the key in force what another one has sealed; how many values that were.

        It may run while others read and write the same store, and may be broken off at any point.
        """
        ...
