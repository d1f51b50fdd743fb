"""What is said of a person: age, date of birth, where they are."""

from __future__ import annotations

from typing import Final

from penstock.guardrails.pii.recogniser import UNLESS_CONTEXT, Recogniser, digits_of

_MONTH: Final = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
    r"Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)"
)
_BORN: Final = (
    r"born|birth\w*|dob|d\.o\.b\.?|date of birth|birthday|né le|née le|geboren\w*|geb\.?|geburtsdatum|"
    r"nacid[oa]\w*|"
    r"nacimiento|nat[oa] (?:il|a)|nascimento|född|født|geboortedatum|生年月日|出生日期|생년월일"
)


def _age(text: str) -> bool:
    return 0 < int(digits_of(text) or "0") <= 125


def _pair(text: str) -> bool:
    latitude, longitude = (float(part) for part in text.replace(" ", "").split(","))
    return abs(latitude) <= 90 and abs(longitude) <= 180


ROWS = (
    Recogniser(
        "DATE_OF_BIRTH",
        r"(\d{1,2}[./\-]\d{1,2}[./\-](?:19|20)?\d{2}|(?:19|20)\d{2}[./\-]\d{1,2}[./\-]\d{1,2})",
        "ISO 8601 section 5.2.1, and the orders of day, month and year that countries write",
        score=UNLESS_CONTEXT,
        sure=0.85,
        context=_BORN,
    ),
    Recogniser(
        "DATE_OF_BIRTH",
        rf"(?i)(\d{{1,2}}(?:st|nd|rd|th)?[ .]+(?:of )?{_MONTH},? +(?:19|20)\d{{2}}|"
        rf"{_MONTH}\.? +\d{{1,2}}(?:st|nd|rd|th)?,? +(?:19|20)\d{{2}})",
        "the same with the month's English name",
        score=UNLESS_CONTEXT,
        sure=0.85,
        context=_BORN,
    ),
    Recogniser(
        "AGE",
        r"(?i)\b(\d{1,3}[ \-](?:years?|yrs?|year)[ \-]?olds?|\d{1,3} ?y/?o)\b",
        "English, an age written out",
        score=0.7,
        check=_age,
        loose=True,
    ),
    Recogniser(
        "AGE",
        r"(?i)\b(?:age|aged|age of|age is|age:|turn(?:s|ed|ing)?|i.m|i am|she is|he is|she was|he was)"
        r"(?: just| only| now)?[ :]+(\d{1,3})\b",
        "English, an age after its word",
        score=0.55,
        check=_age,
        loose=True,
        after=(
            r"[ \-]?(?:%|percent|years? (?:ago|in|at)|minutes?|hours?|days?|weeks?|months?|km|miles?|"
            r"degrees?|dollars|"
            r"people|[.,/:]\d|st\b|nd\b|rd\b|th\b|times|points|pounds|kg|kilos?|feet|inches|cm|of\b)"
        ),
    ),
    Recogniser(
        "COORDINATES",
        r"([+\-]?\d{1,2}\.\d{3,12}, ?[+\-]?\d{1,3}\.\d{3,12})",
        "ISO 6709 and RFC 5870: latitude, then longitude, in degrees",
        score=0.7,
        check=_pair,
    ),
    Recogniser(
        "COORDINATES",
        r"(\d{1,2}°[ ]?\d{1,2}[\x{2032}'][ ]?(?:\d{1,2}(?:\.\d+)?[″\"])?[ ]?[NS][, ]+\d{1,3}°[ "
        r"]?\d{1,2}[\x{2032}'][ ]?"
        r"(?:\d{1,2}(?:\.\d+)?[″\"])?[ ]?[EW])",
        "ISO 6709 annex D: degrees, minutes, seconds",
        score=0.9,
    ),
    Recogniser(
        "ZIP_CODE",
        r"([A-Z]{2},? \d{5}(?:-\d{4})?)",
        "United States Postal Service, Publication 28, section 21",
        score=0.5,
        check=lambda text: text[:2] in _STATES,
    ),
    Recogniser(
        "ZIP_CODE",
        r"(\d{5}-\d{4}|\d{3,6}|\d{2}-\d{3}|\d{5}-\d{3}|\d{3} \d{2}|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})",
        "Universal Postal Union, addressing systems of its members",
        score=UNLESS_CONTEXT,
        sure=0.7,
        context=r"zip(?: ?code)?|post ?code|postal(?: ?code)?|plz|postleitzahl|cap|code postal|código postal",
    ),
    Recogniser(
        "UK_POSTCODE",
        (
            r"((?:GIR ?0AA|[A-PR-UWYZ](?:\d{1,2}|[A-HK-Y]\d{1,2}|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY]) "
            r"\d[ABD-HJLNP-UW-Z]{2}))"
        ),
        "Royal Mail, Programmers' Guide to PAF, appendix C",
        score=0.6,
    ),
)
_STATES: Final = frozenset(
    [
        "AL",
        "AK",
        "AZ",
        "AR",
        "CA",
        "CO",
        "CT",
        "DE",
        "DC",
        "FL",
        "GA",
        "HI",
        "ID",
        "IL",
        "IN",
        "IA",
        "KS",
        "KY",
        "LA",
        "ME",
        "MD",
        "MA",
        "MI",
        "MN",
        "MS",
        "MO",
        "MT",
        "NE",
        "NV",
        "NH",
        "NJ",
        "NM",
        "NY",
        "NC",
        "ND",
        "OH",
        "OK",
        "OR",
        "PA",
        "PR",
        "RI",
        "SC",
        "SD",
        "TN",
        "TX",
        "UT",
        "VT",
        "VA",
        "WA",
        "WV",
        "WI",
        "WY",
        "AA",
        "AE",
        "AP",
    ]
)
