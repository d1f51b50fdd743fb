"""Identifiers that sort by the time they were made. Time and randomness come from the caller."""

from __future__ import annotations


def request_id(now_ms: int, random: bytes) -> str:
    """The id of one exchange: `req_`, 12 hex digits of milliseconds, then the random bytes (give 10)."""
    return "req_" + (now_ms.to_bytes(6, "big") + random).hex()


def boot_id(now_ms: int, random: bytes) -> str:
    """The id of one start of a journal writer: 12 hex digits of milliseconds, then random bytes (give 8).

    It has no dash, because a segment's file name is `<boot id>-<number>.journal`.
    """
    return (now_ms.to_bytes(6, "big") + random).hex()


# Stands in no configured name: `openai~acme` is nothing but what acme's own credential opens at openai.
OWN_MARK = "~"


def is_own(target_id: str) -> bool:
    """Whether a target's id says that a tenant's own credential opens it."""
    return OWN_MARK in target_id.partition("/")[0]
