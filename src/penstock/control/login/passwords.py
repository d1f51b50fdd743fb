"""Passwords: what one must be, and how it is compared. Argon2id with the library's parameters (RFC 9106)."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from penstock.control.problems import Denied

SHORTEST, LONGEST = 12, 256
# Each comparison takes 64 MiB and a core for a twentieth of a second.
AT_ONCE = 2
WAIT_S = 5.0
_BUSY_RETRY_S = 5


class Passwords:
    """Hashes and compares; never more than two at once."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._nobodys = self._hasher.hash("a password that nobody has, compared where there is none")

    def hashed(self, password: str) -> str:
        """What is kept of it. Raises Denied."""
        self._begin()
        try:
            return self._hasher.hash(password)
        finally:
            self._turns.release()

    def matches(self, kept: str | None, password: str) -> bool:
        """Whether it is the one; without one it takes as long. Raises Denied."""
        self._begin()
        try:
            self._hasher.verify(kept if kept is not None else self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        finally:
            self._turns.release()
        return kept is not None

    def is_old(self, kept: str) -> bool:
        """Whether it was hashed with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _begin(self) -> None:
        if not self._turns.acquire(timeout=WAIT_S):
            raise Denied("too_many_attempts", "too many logins at once; try again", retry_after_s=_BUSY_RETRY_S)


def check_password(password: str, user: str) -> None:
    """Length counts, not signs (NIST SP 800-63B, section 5.1.1). Raises Denied."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Denied("invalid_request", f"a password has from {SHORTEST} to {LONGEST} characters")
    if len(set(password)) < 5 or password.lower() in {user.lower(), user.lower() * 2}:
        raise Denied("invalid_request", "this password is too easy to guess; take a longer, less regular one")
