"""Text as its reader means it: what hides words from a classifier, undone, within bounds.

Invisible characters and look-alike letters are undone in place; what is encoded (base64, hexadecimal, percent,
rot13, leet, spaced or reversed letters) or kept from a reader's eyes (comments, invisible elements) becomes a
text of its own, which is looked at besides. Unicode Technical Standard 39 describes look-alikes, Unicode
Technical Report 36 invisible characters, RFC 4648 the encodings.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import unquote

from penstock.guardrails.scanning import PatternSet

MOST_VIEWS: Final = 12
"""Encoded pieces that are looked at in one text."""
_LONGEST: Final = 8_192
_INVISIBLE: Final = dict.fromkeys(
    (
        0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0, *range(0xE0000, 0xE0080),
        *range(0xE0100, 0xE01F0),
    )
)  # fmt: skip
# Letters of other scripts that look like Latin ones; applied only to words that also hold Latin letters.
_ALIKE: Final = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03b1\u03b5\u03b9\u03ba\u03bf\u03c1\u03c5\u03bd"
    "\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0396"
    "\u0131\u0261\u1d0f",
    "aeopcyxijshdq" + "ABEKMHOPCTYXIJS" + "aeikopuv" + "ABEHIKMNOPTYXZ" + "igo",
)
_MIXED: Final = re.compile(r"\w*(?:[A-Za-z][\u0370-\u052f]|[\u0370-\u052f][A-Za-z]|[\u0131\u0261\u1d0f])\w*")
_TAGS: Final = re.compile(r"[\U000e0020-\U000e007e]{4,}")
_LEET: Final = str.maketrans("0134578@$!|", "oieastbasil")
_KINDS: Final = (
    ("base64", r"[A-Za-z0-9+/_\-]{24,}={0,2}"),
    ("hexadecimal", r"(?i)(?:\\x|0x)?[0-9a-f]{2}(?:[ :,]?(?:\\x|0x)?[0-9a-f]{2}){11,}"),
    ("percent", r"(?:%[0-9A-Fa-f]{2}[\w.\-+]{0,3}){5,}"),
    ("escapes", r"(?:\\u[0-9A-Fa-f]{4}|&#x?[0-9A-Fa-f]{2,6};){5,}"),
    ("spaced", r"(?i)\b[a-z](?:[ .\-_*|/][a-z]){7,}\b"),
    ("leet", r"(?i)\b[a-z]*[013457@$][a-z]+[013457@$]?[a-z]*\b[^\n]{0,80}?\b[a-z]*[013457@$][a-z]+\b"),
    ("rot13", r"(?i)\b(?:gur|naq|vtaber|lbhe|cebzcg|flfgrz|cnffjbeq|vafgehpgvbaf|cerivbhf)\b"),
    ("reversed", r"(?i)\b(?:erongi|snoitcurtsni|suoiverp|tpmorp|metsys|drowssap|ruoy|laever|lla|eht)\b"),
    ("hidden", r"(?i)<!--|\[//\]:|\[comment\]:|<[^>]+\shidden\b|aria-hidden"),
    ("hidden", r"(?i)display\s*:\s*none|visibility\s*:\s*hidden|(?:font-size|opacity)\s*:\s*0"),
    ("hidden", r"(?i)color\s*:\s*(?:white|#fff|transparent)"),
)  # fmt: skip
_SET: Final = PatternSet([pattern for _, pattern in _KINDS])
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_\-]{24,}={0,2}")
_HEX: Final = re.compile(r"(?:(?:\\x|0x)?[0-9a-fA-F]{2}[ :,]?){12,}")
_PERCENT: Final = re.compile(r"[^\s%]{0,20}(?:%[0-9A-Fa-f]{2}[\w.\-+]{0,20}){5,}")
_ESCAPES: Final = re.compile(r"(?:\\u[0-9A-Fa-f]{4}|&#x?[0-9A-Fa-f]{2,6};|[\w ]){5,400}")
_ONE_ESCAPE: Final = re.compile(r"\\u([0-9A-Fa-f]{4})|&#x([0-9A-Fa-f]{2,6});|&#(\d{2,6});")
_SPACED: Final = re.compile(r"(?:(?<!\w)\w(?:[ .\-_*|/]{1,3}\w(?!\w)){3,}[ ]*){1,40}")
_HIDDEN: Final = (
    re.compile(r"<!--(.{4,2000}?)(?:-->|$)", re.DOTALL),
    re.compile(
        r"<[^<>]{0,300}(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])|"
        r"color\s*:\s*(?:white|#fff(?:fff)?|transparent)|\shidden\b|aria-hidden=.true)[^<>]{0,300}>"
        r"([^<]{4,2000})",
        re.IGNORECASE,
    ),
    re.compile(r"^\[(?://|comment)\]:\s*#?\s*[(\"'<](.{4,2000}?)[)\"'>]\s*$", re.IGNORECASE | re.MULTILINE),
)


@dataclass(frozen=True, slots=True)
class View:
    """What `text[start:end]` of the original says once it is read: a text of its own."""

    start: int
    end: int
    text: str
    reason: str


def readable(text: str) -> str:
    """The text without invisible characters and look-alikes; the same object where there are none."""
    if text.isascii():
        return text
    cleaned = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    return _MIXED.sub(lambda word: word[0].translate(_ALIKE), cleaned)


def views(text: str) -> Iterator[View]:
    """Texts that the text holds in encoded or hidden form, at most `MOST_VIEWS`."""
    yield from islice(_all_views(text), MOST_VIEWS)


def _all_views(text: str) -> Iterator[View]:
    if not text.isascii():
        for tagged in _TAGS.finditer(text):
            hidden = "".join(chr(ord(char) - 0xE0000) for char in tagged[0])
            yield View(tagged.start(), tagged.end(), hidden, "hidden_text")
    kinds = {_KINDS[index][0] for index in _SET.found(text.encode("utf-8", "replace"))}
    if not kinds:
        return
    if "hidden" in kinds:
        for pattern in _HIDDEN:
            for found in pattern.finditer(text):
                yield View(found.start(1), found.end(1), found[1], "hidden_text")
    yield from _decoded(text, kinds)
    yield from _respelt(text, kinds)


def _decoded(text: str, kinds: set[str]) -> Iterator[View]:
    if "base64" in kinds:
        for found in _BASE64.finditer(text):
            yield from _kept(found, _from_base64(found[0]))
    if "hexadecimal" in kinds:
        for found in _HEX.finditer(text):
            digits = re.sub(r"\\x|0x|[ :,]", "", found[0])
            yield from _kept(found, bytes.fromhex(digits[: len(digits) // 2 * 2][:_LONGEST]))
    if "percent" in kinds:
        for found in _PERCENT.finditer(text):
            yield from _kept(found, unquote(found[0]).replace("+", " ").encode())
    if "escapes" in kinds:
        for found in _ESCAPES.finditer(text):
            yield from _kept(found, _ONE_ESCAPE.sub(_unescaped, found[0]).encode("utf-8", "replace"))


def _respelt(text: str, kinds: set[str]) -> Iterator[View]:
    whole = text[:_LONGEST]
    if "spaced" in kinds:
        for found in _SPACED.finditer(whole):
            words = re.split(r"\s{2,}|[|/]{2,}", found[0])
            joined = " ".join("".join(filter(str.isalnum, word)) for word in words)
            yield View(found.start(), found.end(), joined, "encoded")
    if "leet" in kinds:
        yield View(0, len(whole), whole.lower().translate(_LEET), "encoded")
    if "rot13" in kinds:
        yield View(0, len(whole), _rot13(whole), "encoded")
    if "reversed" in kinds:
        yield View(0, len(whole), whole[::-1], "encoded")


def _kept(found: re.Match[str], data: bytes) -> Iterator[View]:
    """The decoded bytes, if they are text that somebody wrote."""
    said = data.decode("utf-8", "replace")
    letters = sum(char.isalpha() or char == " " for char in said)
    if len(said) >= 12 and letters >= 0.75 * len(said) and " " in said.strip():
        yield View(found.start(), found.end(), said, "encoded")


def _from_base64(text: str) -> bytes:
    plain = text[:_LONGEST].rstrip("=").translate({45: "+", 95: "/"})
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        return b""


def _unescaped(found: re.Match[str]) -> str:
    number = int(found[1] or found[2] or "0", 16) or int(found[3] or "0")
    return chr(number) if 31 < number < 0x110000 and not 0xD800 <= number < 0xE000 else " "


_ROT13: Final = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm",
)


def _rot13(text: str) -> str:
    return text.translate(_ROT13)
