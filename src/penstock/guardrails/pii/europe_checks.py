"""Check digits of national numbers of Europe."""

from __future__ import annotations

from typing import Final

from penstock.guardrails import checksums
from penstock.guardrails.checksums import plausible_date, weighted
from penstock.guardrails.pii.recogniser import alnum_of, digits_of

_NIF: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_FI: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_IT_ODD: Final = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def nhs(text: str) -> bool:
    """NHS Data Model and Dictionary, NHS NUMBER: modulo 11, where 10 is never issued."""
    digits = digits_of(text)
    check = (11 - weighted(digits, range(10, 1, -1)) % 11) % 11
    return check == int(digits[9]) and len(set(digits)) > 1


def nino(text: str) -> bool:
    """Whether nino checks; `europe.py` names the source."""
    plain = alnum_of(text)
    return plain[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def nif(text: str) -> bool:
    """Real Decreto 1553/2005: the number modulo 23 chooses the letter; X, Y, Z of a NIE stand for 0, 1, 2."""
    plain = alnum_of(text)
    number = plain[:-1].translate({88: "0", 89: "1", 90: "2"})
    return number.isdecimal() and _NIF[int(number) % 23] == plain[-1]


def codice_fiscale(text: str) -> bool:
    """Decreto Ministeriale 23/12/1976: the sixteenth letter sums values of odd and even places."""
    total = 0
    for place, char in enumerate(text[:15].upper()):
        value = int(char) if char.isdecimal() else ord(char) - 65
        total += value if place & 1 else _IT_ODD[value]
    return chr(65 + total % 26) == text[15].upper()


def pesel(text: str) -> bool:
    """Ustawa o ewidencji ludności: a date whose month says the century, and a check digit."""
    month = int(text[2:4]) % 20
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    return plausible_date(int(text[:2]), month, int(text[4:6])) and weighted(text, weights) % 10 == 0


def henkilotunnus(text: str) -> bool:
    """Digital and Population Data Services Agency: a date, and the nine digits modulo 31."""
    digits = text[:6] + text[7:10]
    day, month, year = int(text[:2]), int(text[2:4]), int(text[4:6])
    return plausible_date(year, month, day) and _FI[int(digits) % 31] == text[10].upper()


def personnummer(text: str) -> bool:
    """Skatteverket SKV 704: a date (60 more for coordination numbers), and Luhn over the last ten digits."""
    digits = digits_of(text)[-10:]
    day = int(digits[4:6])
    return plausible_date(int(digits[:2]), int(digits[2:4]), day - 60 * (day > 60)) and checksums.luhn(digits)


def fodselsnummer(text: str) -> bool:
    """Skatteetaten: a date (40 more for D numbers), and two check digits modulo 11."""
    digits = digits_of(text)
    day = int(digits[:2])
    first = weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    month = int(digits[2:4])
    return (
        plausible_date(int(digits[4:6]), month - 40 * (month > 40), day - 40 * (day > 40))
        and first == second == 0
    )


def cpr(text: str) -> bool:
    """CPR-kontoret: a date; the check digit is no longer kept."""
    digits = digits_of(text)
    return plausible_date(int(digits[4:6]), int(digits[2:4]), int(digits[:2]))


def steuer_id(text: str) -> bool:
    """Bundeszentralamt für Steuern: ISO 7064 MOD 11,10; one of the first ten occurs twice or thrice."""
    digits = digits_of(text)
    counts = sorted(digits[:10].count(each) for each in set(digits[:10]))
    return digits[0] != "0" and counts[-1] in (2, 3) and counts[-2] == 1 and checksums.mod_11_10(digits)


def nir(text: str) -> bool:
    """INSEE, répertoire national: 97 minus the first thirteen modulo 97; 2A and 2B are Corsica."""
    plain = alnum_of(text).replace("2A", "19", 1) if "2A" in alnum_of(text)[5:7] else alnum_of(text)
    plain = plain[:5] + "18" + plain[7:] if plain[5:7] == "2B" else plain
    return plain.isdecimal() and 97 - int(plain[:13]) % 97 == int(plain[13:])


def bsn(text: str) -> bool:
    """Rijksdienst voor Identiteitsgegevens: the eleven test, the last digit counting minus one."""
    digits = digits_of(text)
    return len(set(digits)) > 1 and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def rijksregister(text: str) -> bool:
    """Belgium's Rijksregister: 97 minus the first nine modulo 97, from 2000 on with a 2 before them."""
    digits = digits_of(text)
    check = int(digits[9:])
    return 97 - int(digits[:9]) % 97 == check or 97 - int("2" + digits[:9]) % 97 == check


def ahv(text: str) -> bool:
    """Whether ahv checks; `europe.py` names the source."""
    return checksums.ean_13(digits_of(text))


def svnr(text: str) -> bool:
    """Whether svnr checks; `europe.py` names the source."""
    digits = digits_of(text)
    return digits[0] != "0" and weighted(digits, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == int(digits[3])


def pps(text: str) -> bool:
    """Whether pps checks; `europe.py` names the source."""
    plain = alnum_of(text)
    total = weighted(plain, range(8, 1, -1)) + (
        9 * (ord(plain[8]) - 64) if len(plain) == 9 and plain[8] != "W" else 0
    )
    return "WABCDEFGHIJKLMNOPQRSTUV"[total % 23] == plain[7]


def eleven(text: str, weights: tuple[int, ...]) -> bool:
    """Modulo 11 with the check digit last, 10 counting as 0."""
    digits = digits_of(text)
    return len(set(digits)) > 1 and weighted(digits[:-1], weights) % 11 % 10 == int(digits[-1])


def pt_nif(text: str) -> bool:
    """Whether pt nif checks; `europe.py` names the source."""
    digits = digits_of(text)
    rest = weighted(digits, range(9, 1, -1)) % 11
    return int(digits[8]) == (0 if rest < 2 else 11 - rest)


def cnp(text: str) -> bool:
    """Whether cnp checks; `europe.py` names the source."""
    plausible = plausible_date(int(text[1:3]), int(text[3:5]), int(text[5:7]))
    rest = weighted(text, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return plausible and (1 if rest == 10 else rest) == int(text[12])


def rodne(text: str) -> bool:
    """Whether rodne checks; `europe.py` names the source."""
    digits = digits_of(text)
    month = int(digits[2:4]) % 50
    plausible = plausible_date(int(digits[:2]), month - 20 * (month > 20), int(digits[4:6]))
    return plausible and (len(digits) == 9 or int(digits[:9]) % 11 % 10 == int(digits[9]))


def egn(text: str) -> bool:
    """Whether egn checks; `europe.py` names the source."""
    month = int(text[2:4]) % 20
    return plausible_date(int(text[:2]), month, int(text[4:6])) and eleven(text, (2, 4, 8, 5, 10, 9, 7, 3, 6))


def baltic(text: str) -> bool:
    """Whether baltic checks; `europe.py` names the source."""
    if not plausible_date(int(text[1:3]), int(text[3:5]), int(text[5:7])):
        return False
    first = weighted(text, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if first == 10:
        first = weighted(text, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return first == int(text[10])


def vat_it(text: str) -> bool:
    """Whether vat it checks; `europe.py` names the source."""
    return checksums.luhn(digits_of(text)) and len(set(digits_of(text))) > 1


def de_document(text: str) -> bool:
    """Whether de document checks; `europe.py` names the source."""
    values = [int(char, 36) * weight for char, weight in zip(text, (7, 3, 1) * 3, strict=False)]
    return len(text) == 9 or sum(values) % 10 == int(text[9])
