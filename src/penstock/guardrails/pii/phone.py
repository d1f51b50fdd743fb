"""Telephone numbers of any country: by shape, length, country code, and the words around them.

ITU-T E.164 bounds a number at fifteen digits and assigns the country codes; ITU-T E.123 says how numbers are
written (groups parted by spaces, an area code in brackets, `ext.` before an extension); dots, hyphens and
slashes are what people write besides.
"""

from __future__ import annotations

import re
from typing import Final

from penstock.guardrails.checksums import luhn
from penstock.guardrails.pii.recogniser import digits_of

PATTERN: Final = (
    r"(\+?\(?\+?\d{1,15}(?:\)?[ .\-/\x{00A0}\x{2010}-\x{2013}]{0,2}\(?\d{1,12}\)?){0,7}"
    r"(?:,? ?(?:x|X|ext\.?|Ext\.?|extension|#) ?\d{1,6})?)"
)
LONGEST: Final = 48
_EXTENSION = re.compile(r",? ?(?:x|ext\.?|extension|#) ?\d{1,6}$", re.IGNORECASE)
_BEFORE = re.compile(
    r"\b(?:tele)?(?:phones?|fono|fax|fon)\b|\btel\b|\bmobile\b|\bmob\b|\bmóvil\b|\bhandy\b|\bcell\w*|"
    r"\bcall(?:ing|ed)?\b"
    r"|\bdial\w*|\btext(?:ed|ing)?\b|\bsms\b|\bwhats ?app\b|\bviber\b|\bhotline\b|\bcontact\w*|\breach\w*|"
    r"\bring\b"
    r"|\bnumber (?:is|to)\b|\bmy number\b|\bnumber:|\b(?:desk|office|home|work) ?[:#]|\blandline\b|"
    r"\bextension\b|\bvoicemail\b"
    r"|\banswer\w*|\bmessages? to\b|\btéléphone\b|\bportable\b|\btelefon\w*|\brufnummer\b|\bcellulare\b|"
    r"\bpuhelin\w*"
    r"|\bhelpline\b|\bpager\b|\btoll.free\b|\bcustomer (?:service|care)\b|\bsupport at\b|电话|手机|電話|전화|"
    r"телефон|τηλ"
)  # fmt: skip
_AFTER = re.compile(
    r"^[ \-,(]{0,3}(?:office|fax|mobile|cell|home|work|desk|landline|phone|tel|hotline|direct|main|ext)\b"
)
_NEVER = re.compile(
    r"(?:[$€£¥₹#=]|\busd|\beur|\bisbn\S*|\bissn|\bdoi\S*|\bversion|\bver\.?|\bpage|\bpp?\.|\bcards?(?: "
    r"no\.?| number)?"
    r"|\baccount\w*(?: no\.?| number)?|\border\w*(?: no\.?| number)?|\binvoice(?: no\.?| number)?|\bssn|"
    r"\bticket|\biban\b.*"
    r"|\btracking(?: no\.?| number)?|\bserial(?: no\.?| number)?|\bid|\bzip(?: code)?|\bpostal code|"
    r"\blicen[sc]e(?: number)?"
    r"|\bpassport(?: no\.?| number)?|\bport|\bchapter|\bsection|\barticle|\bmodel|\bpart no\.?|\bsku|"
    r"\bref(?:erence)?\.?"
    r"|\bbirth|\bborn|\bdate|\bsecurity(?: number)?|\bpin|\bcode|\bcvv|\brouting(?: number)?|\blat\w*|"
    r"\blon\w*|\bcoordinates"
    r"|\bimei|\bcase(?: no\.?| number)?|\bhash|\bcommit|\btimestamp)[ :.#]*(?:is|are|was)?[ :=#]*$"
)  # fmt: skip
_DATE = re.compile(
    r"^(?:(?:19|20)\d\d([./\- ])\d\d?\1\d\d?|\d\d?([./\- ])\d\d?\2(?:19|20)?\d\d)(?: \d\d?)?$|^(?:19|"
    r"20)\d\d[ \-/]+(?:19|20)\d\d$"
)
_UNIT = re.compile(
    r"^ ?(?:%|°|€|\$|£|usd|eur|dollars|euros|kg|km|cm|mm|mb|gb|kb|ms|hz|years?|days?|hours?|people|"
    r"million|billion|"
    r"percent|pm\b|am\b|:\d\d|[./,]\d)"
)
_NANP = re.compile(r"^(?:\+?1|001)?[ .\-]?(?:\([02-9]\d{2}\) ?|[02-9]\d{2}[ .\-])\d{3}[ .\-]\d{4}$")
_BRACKET = re.compile(r"^(?:\+?\d{1,3} ?)?\(0?\d{1,5}\)[ .\-]?\d[\d .\-]{3,12}$")
_GROUPS = re.compile(r"\d+")
# ITU-T E.164, list of assigned country codes: of one digit, of two, and the first two of those of three.
_CODES_1: Final = frozenset("17")
_CODES_2: Final = frozenset(
    [
        "20",
        "27",
        "30",
        "31",
        "32",
        "33",
        "34",
        "36",
        "39",
        "40",
        "41",
        "43",
        "44",
        "45",
        "46",
        "47",
        "48",
        "49",
        "51",
        "52",
        "53",
        "54",
        "55",
        "56",
        "57",
        "58",
        "60",
        "61",
        "62",
        "63",
        "64",
        "65",
        "66",
        "81",
        "82",
        "84",
        "86",
        "90",
        "91",
        "92",
        "93",
        "94",
        "95",
        "98",
    ]
)
_CODES_3: Final = frozenset(
    [
        "21",
        "22",
        "23",
        "24",
        "25",
        "26",
        "29",
        "35",
        "37",
        "38",
        "42",
        "50",
        "59",
        "67",
        "68",
        "69",
        "80",
        "85",
        "87",
        "88",
        "96",
        "97",
        "99",
    ]
)


def known_code(digits: str) -> bool:
    """Whether digits after a + begin with a country code that is assigned."""
    return digits[0] in _CODES_1 or digits[:2] in _CODES_2 or digits[:2] in _CODES_3


def score(text: str, start: int, end: int) -> float:
    """How sure `text[start:end]`, which `PATTERN` matched, is a telephone number; 0 where it is none."""
    span = _EXTENSION.sub("", text[start:end])
    extended = len(span) < end - start
    digits = digits_of(span)
    before = text[max(0, start - 48) : start].lower()
    after = text[end : end + 16].lower()
    if not 6 <= len(digits) <= 15 or _impossible(span, digits, before, after):
        return 0.0
    line = before.rsplit("\n", 1)[-1]
    said = _BEFORE.search(line) is not None or _BEFORE.search(before[-24:]) is not None
    said = said or _AFTER.search(after) is not None
    return _shape(span, digits, extended=extended, said=said)


def _impossible(span: str, digits: str, before: str, after: str) -> bool:
    if _NEVER.search(before[-28:]) or _UNIT.search(after) or _date(span) or len(set(digits)) == 1:
        return True
    if len(digits) >= 13 and "+" not in span and not span.startswith("00") and luhn(digits):
        return True
    groups = _GROUPS.findall(span)
    if span.count(".") == 3 and len(groups) == 4 and all(int(each) <= 255 for each in groups):
        return True
    return len(groups) == 2 and "." in span and "(" not in span  # a decimal number


def _date(span: str) -> bool:
    if _DATE.match(span) is None:
        return False
    parts = [int(each) for each in _GROUPS.findall(span)[:3]]
    small = [each for each in parts if each <= 31]
    return len(small) >= len(parts) - 1 and min(parts) <= 12


def _shape(span: str, digits: str, *, extended: bool, said: bool) -> float:
    groups = _GROUPS.findall(span)
    if "+" in span:
        known = len(digits) >= 8 and known_code(digits)
        return (0.85 if known else 0.0) if not said else 0.9 if known else 0.6
    if said:
        # Two short groups may also be the numbers of a house and of a street, which are found as such.
        if len(groups) > 1:
            return 0.7 if len(groups) == 2 and len(digits) < 7 else 0.85
        return 0.8 if len(digits) >= 7 else 0.0
    return _silent(span, digits, groups, extended=extended)


def _silent(span: str, digits: str, groups: list[str], *, extended: bool) -> float:
    """How sure without a word beside it."""
    if _NANP.match(span) or (extended and len(digits) >= 7):
        return 0.75
    if span.startswith("00") and len(digits) >= 10 and known_code(digits[2:]):
        return 0.7
    if _BRACKET.match(span) and len(digits) >= 7:
        return 0.65
    if span.startswith("0") and 9 <= len(digits) <= 12 and 2 <= len(groups) <= 6 and len(groups[0]) <= 5:
        return 0.6
    pairs = len(groups) >= 4 and len(digits) in (8, 10) and all(len(each) == 2 for each in groups)
    return 0.5 if pairs else 0.2
