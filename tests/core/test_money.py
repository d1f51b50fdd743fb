"""Money in and out of nano-dollars."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.money import format_usd, parse_factor, parse_usd, round_usd


@pytest.mark.parametrize(
    ("written", "nanousd"),
    [("3", 3_000_000_000), (0.0375, 37_500_000), (Decimal("0.1"), 100_000_000), (0, 0), ("1e-9", 1)],
)
def test_dollars_are_read_exactly(written: Decimal | str | float, nanousd: int) -> None:
    """A price means the number that somebody wrote, also when YAML made a float of it."""
    assert parse_usd(written) == nanousd


@pytest.mark.parametrize("written", ["0.0000000001", "-1", "NaN", "Infinity", "three"])
def test_what_is_no_exact_amount_is_refused(written: str) -> None:
    """A price that cannot be kept exactly is an error, not an approximation."""
    with pytest.raises(ValueError, match=r"."):
        parse_usd(written)


@given(st.integers(min_value=0, max_value=10**18))
def test_formatting_loses_nothing(nanousd: int) -> None:
    """What is written can be read back to the nano-dollar."""
    assert parse_usd(format_usd(nanousd)) == nanousd


def test_small_amounts_are_written_without_exponents() -> None:
    """Headers and tables show plain decimals."""
    assert [format_usd(each) for each in (0, 1, 120_000, 2_500_000_000, -5)] == [
        "0",
        "0.000000001",
        "0.00012",
        "2.5",
        "-0.000000005",
    ]


def test_float_noise_of_catalogues_is_rounded_half_up() -> None:
    """A catalogue's 0.24000000000000002 is 0.24."""
    assert round_usd("0.24000000000000002") == 240_000_000
    assert round_usd("0.0000000005") == 1


def test_factors_are_exact_millionths() -> None:
    """1.1 is 1,100,000 millionths, and what needs more decimals is refused."""
    assert parse_factor(1.1) == 1_100_000
    with pytest.raises(ValueError, match="six decimals"):
        parse_factor("0.3333333")
