"""Check digits of national numbers of Asia, Oceania and Africa."""

from __future__ import annotations

from penstock.guardrails import checksums
from penstock.guardrails.checksums import plausible_date, weighted
from penstock.guardrails.pii.recogniser import alnum_of, digits_of


def nric(text: str) -> bool:
    """Immigration & Checkpoints Authority: weights 2, 7, 6, 5, 4, 3, 2, an offset and letters by the prefix."""
    plain = text.upper()
    offset = {"S": 0, "F": 0, "T": 4, "G": 4, "M": 3}[plain[0]]
    rest = (weighted(plain[1:8], (2, 7, 6, 5, 4, 3, 2)) + offset) % 11
    letters = "JZIHGFEDCBA" if plain[0] in "ST" else "XWUTRQPNMLK"
    return plain[8] == ("KLJNPQRTUWX"[10 - rest] if plain[0] == "M" else letters[rest])


def abn(text: str) -> bool:
    """Australian Business Register: the first digit less one, weights, modulo 89."""
    digits = digits_of(text)
    return digits[0] != "0" and (weighted(digits, (10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)) - 10) % 89 == 0


def acn(text: str) -> bool:
    """Australian Securities & Investments Commission: weights 8 to 1, modulo 10."""
    digits = digits_of(text)
    return (10 - weighted(digits, range(8, 0, -1)) % 10) % 10 == int(digits[8])


def tfn(text: str) -> bool:
    """Australian Taxation Office: weights of nine digits (or eight), modulo 11."""
    digits = digits_of(text)
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10) if len(digits) == 9 else (10, 7, 8, 4, 6, 3, 5, 1)
    return len(set(digits)) > 1 and weighted(digits, weights) % 11 == 0


def medicare(text: str) -> bool:
    """Services Australia: the first digit 2 to 6, weights 1, 3, 7, 9, modulo 10."""
    digits = digits_of(text)
    return digits[0] in "23456" and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(digits[8])


def aadhaar(text: str) -> bool:
    """UIDAI: twelve digits, the first 2 to 9, Verhoeff's check digit, no palindrome."""
    digits = digits_of(text)
    return digits != digits[::-1] and checksums.verhoeff(digits)


def gstin(text: str) -> bool:
    """GST Network: factors 1 and 2 over base 36, quotient and rest added."""
    total = 0
    for place, char in enumerate(text[:14].upper()):
        value = int(char, 36) * (1 + place % 2)
        total += value // 36 + value % 36
    return int(text[14], 36) == (36 - total % 36) % 36 and 1 <= int(text[:2]) <= 38


def rrn(text: str) -> bool:
    """Resident Registration Act: a date; numbers given since October 2020 have no check digit."""
    digits = digits_of(text)
    return digits[6] in "12345678" and plausible_date(int(digits[:2]), int(digits[2:4]), int(digits[4:6]))


def rrn_checked(text: str) -> bool:
    """Whether rrn checked checks; `elsewhere.py` names the source."""
    digits = digits_of(text)
    total = weighted(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5))
    shift = 13 if digits[6] in "5678" else 11
    return rrn(text) and (shift - total % 11) % 10 == int(digits[12])


def resident_id(text: str) -> bool:
    """GB 11643-1999: a date, and ISO 7064 MOD 11-2."""
    year, month, day = int(text[6:10]), int(text[10:12]), int(text[12:14])
    return 1900 <= year <= 2100 and plausible_date(year, month, day) and checksums.mod_11_2(text)


def taiwan(text: str) -> bool:
    """Whether taiwan checks; `elsewhere.py` names the source."""
    first = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(text[0].upper()) + 10
    digits = f"{first}{text[1:]}"
    return weighted(digits, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0


def hongkong(text: str) -> bool:
    """Whether hongkong checks; `elsewhere.py` names the source."""
    plain = alnum_of(text)
    values = [36] if len(plain) == 8 else []
    values += [int(char, 36) for char in plain[:-1]]
    check = 10 if plain[-1] == "A" else int(plain[-1], 36)
    total = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True))
    return (total + check) % 11 == 0


def thai(text: str) -> bool:
    """Whether thai checks; `elsewhere.py` names the source."""
    digits = digits_of(text)
    return (11 - weighted(digits, range(13, 1, -1)) % 11) % 10 == int(digits[12])


def my_number(text: str) -> bool:
    """Whether my number checks; `elsewhere.py` names the source."""
    digits = digits_of(text)
    rest = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return len(set(digits)) > 1 and (0 if rest <= 1 else 11 - rest) == int(digits[11])


def turkey(text: str) -> bool:
    """Whether turkey checks; `elsewhere.py` names the source."""
    numbers = [int(digit) for digit in text]
    tenth = (sum(numbers[0:9:2]) * 7 - sum(numbers[1:8:2])) % 10
    return tenth == numbers[9] and sum(numbers[:10]) % 10 == numbers[10]


def south_africa(text: str) -> bool:
    """Whether south africa checks; `elsewhere.py` names the source."""
    plausible = plausible_date(int(text[:2]), int(text[2:4]), int(text[4:6]))
    return plausible and text[10] in "012" and checksums.luhn(text)


def malaysia(text: str) -> bool:
    """Whether malaysia checks; `elsewhere.py` names the source."""
    digits = digits_of(text)
    return plausible_date(int(digits[:2]), int(digits[2:4]), int(digits[4:6]))


def brn(text: str) -> bool:
    """Whether brn checks; `elsewhere.py` names the source."""
    digits = digits_of(text)
    total = weighted(digits, (1, 3, 7, 1, 3, 7, 1, 3, 5)) + int(digits[8]) * 5 // 10
    return (10 - total % 10) % 10 == int(digits[9])
