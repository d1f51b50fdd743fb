"""Money as integers of nano-dollars, read from and written as decimal dollars without a rounding error.

A rate is an integer of nano-dollars per million units, which is the same number as its price in dollars per
million, counted in billionths. Factors are integers of millionths.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

NANOS_PER_USD = 1_000_000_000
FACTOR_ONE = 1_000_000

Number = Decimal | str | int | float


def parse_usd(value: Number) -> int:
    """Dollars as nano-dollars, or $ per million units as a rate, exactly.

    A float means the number that was written (its shortest literal), not the binary fraction near it.

    Raises:
        ValueError: not a finite number of zero or more, or it needs more than nine decimals.
    """
    scaled = _scaled(value, NANOS_PER_USD)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than nine decimals; the smallest amount is $0.000000001")
    return int(scaled)


def round_usd(value: Number) -> int:
    """Like `parse_usd`, but rounds half up to the nano-dollar, for catalogues that carry float noise.

    Raises:
        ValueError: not a finite number of zero or more.
    """
    return int(_scaled(value, NANOS_PER_USD).to_integral_value(ROUND_HALF_UP))


def parse_factor(value: Number) -> int:
    """A price factor such as 0.5 or 1.1 as millionths, exactly.

    Raises:
        ValueError: not a finite number of zero or more, or it needs more than six decimals.
    """
    scaled = _scaled(value, FACTOR_ONE)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"the factor {value} has more than six decimals")
    return int(scaled)


def format_usd(nanousd: int) -> str:
    """Nano-dollars as a plain decimal number of dollars, exact, without trailing zeros: `0.00012`."""
    sign = "-" if nanousd < 0 else ""
    dollars, nanos = divmod(abs(nanousd), NANOS_PER_USD)
    return f"{sign}{dollars}.{nanos:09d}".rstrip("0").rstrip(".")


def _scaled(value: Number, scale: int) -> Decimal:
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite() or number < 0:
        raise ValueError(f"{value} is not an amount: it must be zero or more")
    return number * scale
