"""Credentials that expire: where the gateway keeps them, and who may bring them."""

from __future__ import annotations

from typing import Protocol

from penstock.core.credentials import Credential


class CredentialSink(Protocol):
    """Takes what the credentials process hands out; each call replaces what was known of the source."""

    def offer(self, source: str, credential: Credential) -> None:
        """A credential that is good from now on."""
        ...

    def trouble(self, source: str, sentence: str) -> None:
        """Why there is no newer one, and what to do; the last good one is kept until it expires."""
        ...

    def heard(self, source: str) -> bool:
        """Whether anything is known of this source."""
        ...
