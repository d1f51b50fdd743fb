"""Check digits: what tells a number that was issued from one that only looks like it.

Every function takes the digits without separators and answers whether they check. Each names where its rule is
published.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

_LUHN_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# The tables of the dihedral group D5 (J. Verhoeff, 1969).
_D5: Final = tuple(
    tuple(
        (row + column) % 5
        if row < 5 and column < 5
        else 5 + (row + column - 5) % 5
        if row < 5
        else 5 + (row - 5 - column) % 5
        if column < 5
        else (row - column) % 5
        for column in range(10)
    )
    for row in range(10)
)
_STEP: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_STEPS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: cards, and many national numbers."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total += _LUHN_DOUBLED[ord(digit) - 48] if place & 1 else ord(digit) - 48
    return total % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights, over as many as there are weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def mod_97(text: str) -> bool:
    """ISO/IEC 7064 MOD 97-10, as ISO 13616 uses it for IBANs: the first four characters moved to the end."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(each, 36)) for each in turned)) % 97 == 1


def verhoeff(digits: str) -> bool:
    """J. Verhoeff, Error Detecting Decimal Codes (1969): India's Aadhaar."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = _STEP[value]
        check = _D5[check][value]
    return check == 0


def mod_11_10(digits: str) -> bool:
    """ISO/IEC 7064 MOD 11,10: Germany's tax identification number, Croatia's OIB."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def mod_11_2(text: str) -> bool:
    """ISO/IEC 7064 MOD 11-2, the last character 0 to 9 or X: China's resident identity number."""
    rest = 0
    for digit in text[:-1]:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11] == text[-1].upper()


def ean_13(digits: str) -> bool:
    """GS1's check digit of 13 digits: Switzerland's AHV number."""
    return weighted(digits, (1, 3) * 7) % 10 == 0


def base58_check(text: str, versions: frozenset[int]) -> bool:
    """Base58Check: four bytes of double SHA-256 (Bitcoin wiki, Base58Check encoding), for some versions."""
    number = 0
    for char in text:
        place = _BASE58.find(char)
        if place < 0:
            return False
        number = number * 58 + place
    if number.bit_length() > 200:
        return False
    data = number.to_bytes(25, "big")
    return data[0] in versions and sha256(sha256(data[:21]).digest()).digest()[:4] == data[21:]


def bech32(text: str) -> bool:
    """BIP 173 and BIP 350: the checksum of Segwit addresses, either constant."""
    low = text.lower()
    if text not in (low, text.upper()):
        return False
    part, _, data = low.rpartition("1")
    if not part or len(data) < 6 or any(char not in _BECH32 for char in data):
        return False
    values = [ord(char) >> 5 for char in part] + [0] + [ord(char) & 31 for char in part]
    values += [_BECH32.index(char) for char in data]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, step in enumerate(_BECH32_STEPS):
            if top >> bit & 1:
                check ^= step
    return check in (1, 0x2BC830A3)


def plausible_date(year: int, month: int, day: int) -> bool:
    """Whether there is such a day; the year may be 0 to 99 where the number does not say the century."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return False
    if month == 2:
        return day <= 28 or (day == 29 and year % 4 == 0)
    return day <= 30 or month in (1, 3, 5, 7, 8, 10, 12)
