"""Days and moments as models write them, in RFC 3339's form; None where more than one day may be meant."""

from __future__ import annotations

import re
from datetime import date, datetime

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
# With points the day comes first wherever it is written so; with slashes it depends on the country.
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHES = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_DAY_NAME = re.compile(
    r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+", re.IGNORECASE
)
_DAY_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?([A-Za-z]{3,9})\.?,?\s+(\d{4})")
_MONTH_DAY = re.compile(r"([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ]+(\d{2}:\d{2})(:\d{2}(?:\.\d{1,9})?)?\s*(Z|z|UTC|GMT|[+-]\d{2}:?\d{2})"
)
_MOST = 64


def date_of(text: str) -> str | None:
    """`YYYY-MM-DD` (RFC 3339, full-date)."""
    said = text.strip()
    if len(said) > _MOST:
        return None
    said = _DAY_NAME.sub("", said)
    if (found := _YEAR_FIRST.fullmatch(said)) is not None:
        return _day(found[1], found[2], found[3])
    if (found := _DAY_FIRST.fullmatch(said)) is not None:
        return _day(found[3], found[2], found[1])
    if (found := _SLASHES.fullmatch(said)) is not None:
        return _either(found[1], found[2], found[3])
    if (found := _DAY_MONTH.fullmatch(said)) is not None:
        return _named(found[3], found[2], found[1])
    if (found := _MONTH_DAY.fullmatch(said)) is not None:
        return _named(found[3], found[1], found[2])
    if len(said) > 10 and said[10] in "Tt " and moment_of(said) is not None:
        return _day(said[:4], said[5:7], said[8:10])
    return None


def moment_of(text: str) -> str | None:
    """A date-time of RFC 3339; one without a time zone could be anywhere, and stays as it is."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    zone = found[4]
    if zone.upper() in ("Z", "UTC", "GMT"):
        zone = "Z"
    elif ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    written = f"{found[1]}T{found[2]}{found[3] or ':00'}{zone}"
    try:
        datetime.fromisoformat(re.sub(r"\.\d+", "", written))
    except ValueError:
        return None
    return written


def _either(first: str, second: str, year: str) -> str | None:
    """Day and month in an order that only shows where one of them is above twelve, or both are the same."""
    days = {_day(year, first, second), _day(year, second, first)} - {None}
    return days.pop() if len(days) == 1 else None


def _named(year: str, month: str, day: str) -> str | None:
    word = month.lower()
    found = [at for at, name in enumerate(_MONTHS, 1) if name.startswith(word) or (word == "sept" and at == 9)]
    return _day(year, str(found[0]), day) if len(found) == 1 else None


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
