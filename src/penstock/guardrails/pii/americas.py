"""National numbers of the Americas."""

from __future__ import annotations

from typing import Final

from penstock.guardrails import checksums
from penstock.guardrails.pii.recogniser import UNLESS_CONTEXT, Recogniser, alnum_of, digits_of

# Printed on cards in shop windows, in advertisements and in documentation: issued to nobody.
_SAMPLE_SSN: Final = frozenset({"078051120", "219099999", "123456789", "987654321"})


def ssn(text: str) -> bool:
    """Social Security Administration: no area 000, 666 or above 899, no group 00, no serial 0000."""
    digits = digits_of(text)
    return (
        digits[:3] not in ("000", "666")
        and digits[0] != "9"
        and digits[3:5] != "00"
        and digits[5:] != "0000"
        and len(set(digits)) > 1
    )


def _bare_ssn(text: str) -> bool:
    return ssn(text) and text not in _SAMPLE_SSN


def _itin(text: str) -> bool:
    group = int(digits_of(text)[3:5])
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99


def _npi(text: str) -> bool:
    return checksums.luhn("80840" + digits_of(text))


def _dea(text: str) -> bool:
    digits = text[2:]
    odd = int(digits[0]) + int(digits[2]) + int(digits[4])
    even = int(digits[1]) + int(digits[3]) + int(digits[5])
    return (odd + 2 * even) % 10 == int(digits[6])


def _licence(text: str) -> bool:
    digits = digits_of(text)
    return 4 <= len(digits) <= 14 and len(alnum_of(text)) <= 18


def cpf(text: str) -> bool:
    """Receita Federal: two check digits modulo 11."""
    digits = digits_of(text)
    if len(set(digits)) == 1:
        return False
    first = checksums.weighted(digits, range(10, 1, -1)) * 10 % 11 % 10
    second = checksums.weighted(digits, range(11, 1, -1)) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}"


def cnpj(text: str) -> bool:
    """Receita Federal: two check digits modulo 11."""
    digits = digits_of(text)
    weights = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    first, second = (
        0 if rest < 2 else 11 - rest
        for rest in (
            checksums.weighted(digits, weights) % 11,
            checksums.weighted(digits, (6, *weights)) % 11,
        )
    )
    return len(set(digits)) > 1 and digits[12:] == f"{first}{second}"


def _sin(text: str) -> bool:
    digits = digits_of(text)
    return digits[0] not in "08" and checksums.luhn(digits)


def _rut(text: str) -> bool:
    plain = alnum_of(text)
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(plain[:-1])))
    return "0123456789K0"[11 - total % 11 if total % 11 else 0] == plain[-1]


def _cuit(text: str) -> bool:
    digits = digits_of(text)
    check = 11 - checksums.weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return {11: 0, 10: 9}.get(check, check) == int(digits[10])


def _curp(text: str) -> bool:
    letters = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"
    total = sum(letters.index(char) * (18 - place) for place, char in enumerate(text[:17].upper()))
    return (10 - total % 10) % 10 == int(text[17])


_TAXPAYER: Final = r"ssn|social security|soc sec|social|ss#|taxpayer|tax id|tin|w-?[29]"

ROWS = (
    Recogniser(
        "US_SSN",
        r"(\d{3}-\d{2}-\d{4})",
        "Social Security Administration, SSN randomization and POMS RM 10201.035",
        score=0.85,
        sure=0.99,
        check=ssn,
        context=_TAXPAYER,
        never=r"order|invoice|part|model|tracking|sku|ticket|case|ref",
    ),
    Recogniser(
        "US_SSN",
        r"(\d{3}[ .\-]?\d{2}[ .\-]?\d{4})",
        "the same without hyphens, where a word says what it is",
        score=UNLESS_CONTEXT,
        sure=0.9,
        check=_bare_ssn,
        context=_TAXPAYER,
    ),
    Recogniser(
        "US_ITIN",
        r"(9\d{2}[ \-]?\d{2}[ \-]?\d{4})",
        "Internal Revenue Service, Publication 1915 and IRM 3.21.263",
        score=UNLESS_CONTEXT,
        sure=0.9,
        check=_itin,
        context=r"itin|taxpayer|tax id|individual tax|w-?7|irs",
    ),
    Recogniser("US_ITIN", r"(9\d{2}-\d{2}-\d{4})", "the same, hyphenated", score=0.6, sure=0.95, check=_itin),
    Recogniser(
        "US_PASSPORT",
        r"([A-Z]\d{8}|\d{9})",
        "Department of State, next generation passport: a letter and eight digits, or nine digits",
        score=UNLESS_CONTEXT,
        sure=0.8,
        context=r"passports?",
        never=r"uk|british|indian|italian|german|french|korean",
    ),
    Recogniser(
        "US_DRIVER_LICENSE",
        r"([A-Za-z]{0,3}\d[\dA-Za-z]*(?:[ \-][\dA-Za-z]*\d[\dA-Za-z]*){0,4})",
        (
            "American Association of Motor Vehicle Administrators, card design standard: customer identifiers "
            "by state"
        ),
        score=UNLESS_CONTEXT,
        sure=0.8,
        check=_licence,
        context=(
            r"driver'?s?'? licen[sc]es?|driver.s licen[sc]e|driving licen[sc]e|drivers? permit|licen[sc]e "
            r"number|"
            r"licen[sc]e no|\bdl\b|dl#|dmv"
        ),
        never=r"plate|phone|tel|expires?|expiry|born|dob|age|on|since|until|software|activation",
    ),
    Recogniser(
        "US_MBI",
        r"([1-9][AC-HJKMNP-RT-Yac-hjkmnp-rt-y][AC-HJKMNP-RT-Yac-hjkmnp-rt-y0-9]\d-?[AC-HJKMNP-RT-Yac-hjkmn"
        r"p-rt-y]"
        r"[AC-HJKMNP-RT-Yac-hjkmnp-rt-y0-9]\d-?[AC-HJKMNP-RT-Yac-hjkmnp-rt-y]{2}\d{2})",
        "Centers for Medicare & Medicaid Services, Understanding the Medicare Beneficiary Identifier",
        score=0.6,
        context=r"medicare|mbi|beneficiary",
    ),
    Recogniser(
        "US_NPI",
        r"([12]\d{9})",
        "Centers for Medicare & Medicaid Services, NPI check digit calculation",
        score=UNLESS_CONTEXT,
        sure=0.9,
        check=_npi,
        context=r"npi|national provider|provider",
    ),
    Recogniser(
        "MEDICAL_LICENSE",
        r"([ABFGMPRabfgmpr][A-Za-z9]\d{7})",
        "Drug Enforcement Administration, registration number: two letters, six digits, a check digit",
        score=0.6,
        sure=0.9,
        check=_dea,
        context=r"dea|prescri\w+|registration|medical|licen[sc]e",
    ),
    Recogniser(
        "BR_CPF",
        r"(\d{3}\.\d{3}\.\d{3}-\d{2})",
        "Receita Federal, cadastro de pessoas físicas",
        score=0.95,
        check=cpf,
    ),
    Recogniser(
        "BR_CPF",
        r"(\d{11})",
        "the same without signs",
        score=UNLESS_CONTEXT,
        sure=0.9,
        check=cpf,
        context=r"cpf|cadastro",
    ),
    Recogniser(
        "BR_CNPJ",
        r"(\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2})",
        "Receita Federal, cadastro nacional da pessoa jurídica",
        score=0.95,
        check=cnpj,
    ),
    Recogniser(
        "CA_SIN",
        r"(\d{3}[ \-]\d{3}[ \-]\d{3}|\d{9})",
        "Employment and Social Development Canada, SIN code of practice",
        score=UNLESS_CONTEXT,
        sure=0.9,
        check=_sin,
        context=r"sin|social insurance|assurance sociale|nas",
    ),
    Recogniser(
        "CL_RUT",
        r"(\d{1,2}\.\d{3}\.\d{3}-[\dkK])",
        "Servicio de Impuestos Internos, dígito verificador módulo 11",
        score=0.9,
        check=_rut,
    ),
    Recogniser(
        "CL_RUT",
        r"(\d{7,8}-[\dkK])",
        "the same without points",
        score=UNLESS_CONTEXT,
        sure=0.9,
        check=_rut,
        context=r"rut|run|rol único|cédula",
    ),
    Recogniser(
        "AR_CUIT",
        r"((?:20|23|24|25|26|27|30|33|34)-?\d{8}-?\d)",
        "AFIP, resolución general 10/1997, CUIT and CUIL",
        score=UNLESS_CONTEXT,
        sure=0.9,
        check=_cuit,
        context=r"cuit|cuil|afip",
    ),
    Recogniser(
        "MX_CURP",
        r"(?i)([A-Z][AEIOUX][A-Z]{2}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[HMX][A-Z]{5}[A-Z0-9]\d)",
        "RENAPO, instructivo normativo para la asignación de la CURP",
        score=0.95,
        check=_curp,
    ),
)
