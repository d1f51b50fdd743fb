"""Numbers of accounts: cards, IBANs, wallets, and the United States' banks."""

from __future__ import annotations

from typing import Final

from penstock.guardrails import checksums
from penstock.guardrails.pii.recogniser import UNLESS_CONTEXT, Recogniser, alnum_of, digits_of

_CARD_WORDS: Final = (
    r"cards?|visa|master ?card|amex|american express|discover|diners|jcb|maestro|unionpay|cc|credit|debit|pan|"
    r"carte|tarjeta|karte|kreditkarte|carta|cartão|kort|kaart|expir\w+|cvv|cvc"
)
_NOT_CARD: Final = (
    r"order|invoice|tracking|imei|isbn|ticket|serial|transaction id|reference|ref|barcode|ean|upc|iccid|sku"
)
# ISO 13616 registry (SWIFT, release 98): country to length of the whole number.
IBAN_LENGTHS: Final = dict(
    pair.split(":")
    for pair in [
        "AD:24",
        "AE:23",
        "AL:28",
        "AT:20",
        "AZ:28",
        "BA:20",
        "BE:16",
        "BG:22",
        "BH:22",
        "BI:27",
        "BR:29",
        "BY:28",
        "CH:21",
        "CR:22",
        "CY:28",
        "CZ:24",
        "DE:22",
        "DJ:27",
        "DK:18",
        "DO:28",
        "EE:20",
        "EG:29",
        "ES:24",
        "FI:18",
        "FK:18",
        "FO:18",
        "FR:27",
        "GB:22",
        "GE:22",
        "GI:23",
        "GL:18",
        "GR:27",
        "GT:28",
        "HN:28",
        "HR:21",
        "HU:28",
        "IE:22",
        "IL:23",
        "IQ:23",
        "IS:26",
        "IT:27",
        "JO:30",
        "KW:30",
        "KZ:20",
        "LB:28",
        "LC:32",
        "LI:21",
        "LT:20",
        "LU:20",
        "LV:21",
        "LY:25",
        "MC:27",
        "MD:24",
        "ME:22",
        "MK:19",
        "MN:20",
        "MR:27",
        "MT:31",
        "MU:30",
        "NI:28",
        "NL:18",
        "NO:15",
        "OM:23",
        "PK:24",
        "PL:28",
        "PS:29",
        "PT:25",
        "QA:29",
        "RO:24",
        "RS:22",
        "RU:33",
        "SA:24",
        "SC:31",
        "SD:18",
        "SE:24",
        "SI:19",
        "SK:24",
        "SM:27",
        "SO:23",
        "ST:25",
        "SV:28",
        "TL:23",
        "TN:24",
        "TR:26",
        "UA:29",
        "VA:22",
        "VG:24",
        "XK:20",
        "YE:30",
    ]
)


def card(text: str) -> bool:
    """ISO/IEC 7812: twelve to nineteen digits of which the last is Luhn's check digit."""
    digits = digits_of(text)
    size = len(digits)
    return 12 <= size <= 19 and len(set(digits)) > 1 and checksums.luhn(digits)


def _issued(digits: str, size: int) -> bool:
    first, two, four = digits[0], int(digits[:2]), int(digits[:4])
    if first == "4":
        return size in (13, 16, 18, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    if two in (34, 37):
        return size == 15
    if two in (30, 36, 38, 39):
        return 14 <= size <= 19
    if two == 35:
        return 16 <= size <= 19
    if four in (1800, 2131):
        return size == 15
    # Maestro, Discover, UnionPay, RuPay, Mir and what else begins with 50, 56 to 69, 2200 to 2204, 81 or 82.
    return two == 50 or 56 <= two <= 69 or 2200 <= four <= 2204 or two in (81, 82)


def _common_card(text: str) -> bool:
    digits = digits_of(text)
    return 13 <= len(digits) <= 16 and _issued(digits, len(digits)) and card(text)


def iban(text: str) -> bool:
    """ISO 13616: the country's length, and MOD 97-10."""
    plain = alnum_of(text)
    return IBAN_LENGTHS.get(plain[:2]) == str(len(plain)) and plain.isascii() and checksums.mod_97(plain)


def _iban_shape(text: str) -> bool:
    plain = alnum_of(text)
    return IBAN_LENGTHS.get(plain[:2]) == str(len(plain))


def routing(text: str) -> bool:
    """American Bankers Association: weights 3, 7, 1, and a first pair that a Federal Reserve district has."""
    pair = int(text[:2])
    known = pair <= 12 or 21 <= pair <= 32 or 61 <= pair <= 72 or pair == 80
    return known and text != "0" * 9 and checksums.weighted(text, (3, 7, 1) * 3) % 10 == 0


def _bitcoin(text: str) -> bool:
    if text[:3].lower() in ("bc1", "tb1", "ltc"):
        return checksums.bech32(text)
    return checksums.base58_check(text, frozenset({0, 5, 22, 30, 48, 50, 65}))


_IBAN: Final = r"([A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z0-9]{4}){2,7}(?:[ \-]?[A-Za-z0-9]{1,4})?)"
_CARD: Final = (
    r"(\d{4}[ \-]?\d{4}[ \-]?\d{4}[ \-]?\d{4}(?:[ \-]?\d{1,3})?|\d{4}[ \-]?\d{6}[ \-]?\d{4,5}|\d{12,19})"
)

ROWS = (
    Recogniser(
        "CREDIT_CARD",
        _CARD,
        "ISO/IEC 7812-1 annex B; networks' published ranges of identification numbers",
        score=0.8,
        sure=0.99,
        check=_common_card,
        context=_CARD_WORDS,
        never=_NOT_CARD,
    ),
    Recogniser(
        "CREDIT_CARD",
        _CARD,
        "ISO/IEC 7812-1: the rarer lengths, and first digits of no large network",
        score=UNLESS_CONTEXT,
        sure=0.95,
        check=card,
        context=_CARD_WORDS,
        never=_NOT_CARD,
    ),
    Recogniser("IBAN_CODE", _IBAN, "ISO 13616-1 and SWIFT's IBAN registry", score=0.99, check=iban),
    Recogniser(
        "IBAN_CODE",
        _IBAN,
        "the same with a mistyped digit, where somebody says that it is one",
        score=UNLESS_CONTEXT,
        sure=0.6,
        check=_iban_shape,
        context=r"iban",
    ),
    Recogniser(
        "CRYPTO",
        r"([13LMDTA9][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc1|tb1|ltc1|BC1)[a-zA-Z0-9]{11,87})",
        "Bitcoin wiki, Base58Check encoding and List of address prefixes; BIP 173, BIP 350",
        score=0.99,
        check=_bitcoin,
        longest=90,
    ),
    Recogniser(
        "CRYPTO",
        r"(0x[0-9a-fA-F]{40})",
        "Ethereum yellow paper, section 4.1 (20 bytes)",
        score=0.6,
        context=r"wallet|eth\w*|address|erc-?20|token|crypto|send|metamask|usdt|usdc|polygon|bsc|contract",
    ),
    Recogniser(
        "CRYPTO",
        r"([48][0-9AB][1-9A-HJ-NP-Za-km-z]{93})",
        "Monero documentation, standard address: 95 characters of base 58",
        score=0.8,
        longest=95,
    ),
    Recogniser(
        "ABA_ROUTING_NUMBER",
        r"(\d{9})",
        "American Bankers Association, routing number policy",
        score=UNLESS_CONTEXT,
        sure=0.9,
        check=routing,
        context=r"routing|aba|rtn|wire|ach",
    ),
    Recogniser(
        "US_BANK_NUMBER",
        r"(\d{8,17}|\d{3,6}(?:-\d{3,8}){1,3})",
        "Nacha operating rules: the account number field of an entry, up to 17 digits",
        score=UNLESS_CONTEXT,
        sure=0.7,
        context=(
            r"bank account|account number|account no|account #|acct|checking|savings account|bank acc\w*|"
            r"account is|direct deposit"
        ),
        never=r"routing|card|phone|tel|order|ssn|iban",
    ),
)
