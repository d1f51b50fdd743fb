"""Numbers of the economics desk: exact fractions, checked where they come in.

A decimal that somebody writes is a fraction, and sums, products and quotients of fractions are exact; what is
shown is rounded only when it is shown.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction

Number = int | float | str | Decimal | Fraction


class InvalidInputError(ValueError):
    """A number that cannot be: `name` says which, the message why."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


def exact(name: str, value: Number) -> Fraction:
    """The number as it was written (0.1 is a tenth). Raises InvalidInputError."""
    if isinstance(value, bool):
        raise InvalidInputError(name, "must be a number")
    if isinstance(value, int | Fraction):
        return Fraction(value)
    try:
        # A float means the shortest decimal that it is written as.
        decimal = value if isinstance(value, Decimal) else Decimal(str(value))
        if not decimal.is_finite():
            raise InvalidInputError(name, f"must be finite, not {value}")
    except InvalidOperation:
        raise InvalidInputError(name, f"must be a number, not {value!r}") from None
    return Fraction(decimal)


def amount(name: str, value: Number) -> Fraction:
    """A number that cannot be negative: money, tokens, hours. Raises InvalidInputError."""
    found = exact(name, value)
    if found < 0:
        raise InvalidInputError(name, f"cannot be negative, and is {float(found):g}")
    return found


def positive(name: str, value: Number) -> Fraction:
    """A number above zero. Raises InvalidInputError."""
    found = exact(name, value)
    if found <= 0:
        raise InvalidInputError(name, f"must be above 0, and is {float(found):g}")
    return found


def share(name: str, value: Number) -> Fraction:
    """A share, from 0 to 1. Raises InvalidInputError."""
    found = exact(name, value)
    if not 0 <= found <= 1:
        raise InvalidInputError(name, f"is a share from 0 to 1, and is {float(found):g}")
    return found


def to_decimal(value: Fraction, places: int) -> Decimal:
    """The number rounded half to even, for people."""
    scaled = round(value * 10**places)
    return Decimal(scaled).scaleb(-places)
