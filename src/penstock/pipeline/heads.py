"""The x-penstock-* lines of an answer's head."""

from __future__ import annotations

from functools import lru_cache

from penstock.core.target import Target
from penstock.wire.http1 import header_safe


@lru_cache(maxsize=4096)
def _path_lines(route: str, target: str, stage: str) -> bytes:
    lines = b"x-penstock-route: %b\r\nx-penstock-target: %b\r\n" % (header_safe(route), header_safe(target))
    return lines + b"x-penstock-stage: %b\r\n" % header_safe(stage) if stage else lines


def dollars(nanousd: int) -> bytes:
    """Nano-dollars as a decimal number of dollars, without trailing zeros."""
    whole = nanousd // 1_000_000_000
    part = nanousd - whole * 1_000_000_000
    if not part:
        return str(whole).encode()
    # A digit in front keeps the zeros behind the point, and is cut off.
    return (str(whole) + "." + str(1_000_000_000 + part)[1:].rstrip("0")).encode()


def answer_lines(request_id: str, route: str, target: Target | None, attempts: int, stage: str = "") -> bytes:
    """What is known of every answer when its head is written. `attempts`: how many have been made."""
    path = _path_lines(route, target.id if target is not None else "none", stage)
    said = (
        f"x-penstock-request-id: {request_id}\r\nx-penstock-attempts: {attempts}\r\nx-penstock-cache: miss\r\n"
    )
    return path + said.encode()


def kept_lines(
    request_id: str, route: str, target: str, attempts: int, source: str, entry: str, age_s: int
) -> bytes:
    """The same of an answer from the cache: where it comes from, its name, and how old it is."""
    return (
        b"x-penstock-request-id: %b\r\n%bx-penstock-attempts: %d\r\nx-penstock-cache: %b\r\n"
        b"x-penstock-cache-entry: %b\r\nage: %d\r\n"
        % (
            request_id.encode(),
            _path_lines(route, target, ""),
            attempts,
            source.encode(),
            entry.encode(),
            age_s,
        )
    )


def cost_line(cost_nanousd: int | None) -> bytes:
    """The cost, or `unpriced`: a model without a price is never shown as free."""
    cost = b"unpriced" if cost_nanousd is None else dollars(cost_nanousd)
    return b"x-penstock-cost-usd: " + cost + b"\r\n"


def budget_line(left_nanousd: int) -> bytes:
    """What is left of the key's budget."""
    return b"x-penstock-budget-left-usd: " + dollars(left_nanousd) + b"\r\n"


def overhead_line(overhead_us: int) -> bytes:
    """Our own time."""
    return f"x-penstock-overhead-us: {overhead_us}\r\n".encode()
