"""Recognisers of personal data: what they find, what they leave, and that they keep the detectors' contract."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.guardrails import checksums
from penstock.guardrails.pii.detector import KINDS, ROWS, PiiDetector

DETECTOR = PiiDetector()

FOUND = [
    ("EMAIL_ADDRESS", "write to anna.b+news@mail.example.co.uk, please", "anna.b+news@mail.example.co.uk"),
    ("EMAIL_ADDRESS", "(jörg@müller.example)", "jörg@müller.example"),
    ("URL", "see https://example.com/a_(b)?c=1#d.", "https://example.com/a_(b)?c=1#d"),
    ("URL", "on shop.example.co.uk/basket today", "shop.example.co.uk/basket"),
    ("IP_ADDRESS", "from 192.0.2.17:8080", "192.0.2.17"),
    ("IP_ADDRESS", "host 2001:db8::8a2e:370:7334 is down", "2001:db8::8a2e:370:7334"),
    ("MAC_ADDRESS", "device 00:1B:44:11:3A:B7", "00:1B:44:11:3A:B7"),
    ("CREDIT_CARD", "card 4111 1111 1111 1111, exp 12/29", "4111 1111 1111 1111"),
    ("CREDIT_CARD", "amex 3782-822463-10005", "3782-822463-10005"),
    ("IBAN_CODE", "to GB82 WEST 1234 5698 7654 32.", "GB82 WEST 1234 5698 7654 32"),
    ("IBAN_CODE", "DE89370400440532013000", "DE89370400440532013000"),
    ("CRYPTO", "send to 1BoatSLRHtKNngkdXEeobR76b53LETtpyT now", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"),
    ("CRYPTO", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("US_SSN", "my ssn: 536-22-8726", "536-22-8726"),
    ("US_SSN", "social security number 536228726", "536228726"),
    ("US_ITIN", "ITIN 912-74-1234", "912-74-1234"),
    ("US_PASSPORT", "passport number 912803456", "912803456"),
    ("US_DRIVER_LICENSE", "driver's license D1234567", "D1234567"),
    ("US_BANK_NUMBER", "bank account 000123456789", "000123456789"),
    ("ABA_ROUTING_NUMBER", "routing 021000021", "021000021"),
    ("UK_NHS", "NHS number 943 476 5919", "943 476 5919"),
    ("UK_NINO", "NI number AB 12 34 56 C", "AB 12 34 56 C"),
    ("ES_NIF", "DNI 12345678Z", "12345678Z"),
    ("ES_NIE", "NIE X1234567L", "X1234567L"),
    ("IT_FISCAL_CODE", "codice RSSMRA85T10A562S", "RSSMRA85T10A562S"),
    ("PL_PESEL", "PESEL 44051401359", "44051401359"),
    ("FI_PERSONAL_IDENTITY_CODE", "hetu 131052-308T", "131052-308T"),
    ("SE_PERSONNUMMER", "pnr 811228-9874", "811228-9874"),
    ("SG_NRIC_FIN", "NRIC S1234567D", "S1234567D"),
    ("AU_ABN", "ABN 51 824 753 556", "51 824 753 556"),
    ("AU_TFN", "tax file number 123 456 782", "123 456 782"),
    ("IN_PAN", "PAN ABCPE1234F", "ABCPE1234F"),
    ("FR_NIR", "2 55 08 14 168 025 38", "2 55 08 14 168 025 38"),
    ("NL_BSN", "BSN 111222333", "111222333"),
    ("BR_CPF", "CPF 111.444.777-35", "111.444.777-35"),
    ("BR_CNPJ", "11.444.777/0001-61", "11.444.777/0001-61"),
    ("KR_RRN", "900101-1234567", "900101-1234567"),
    ("CN_RESIDENT_ID", "11010519491231002X", "11010519491231002X"),
    ("CH_AHV", "AHV 756.9217.0769.85", "756.9217.0769.85"),
    ("DATE_OF_BIRTH", "she was born on 11/04/1993 there", "11/04/1993"),
    ("DATE_OF_BIRTH", "DOB: March 3, 1980", "March 3, 1980"),
    ("AGE", "a 45-year-old man", "45-year-old"),
    ("COORDINATES", "at 52.520008, 13.404954", "52.520008, 13.404954"),
    ("STREET_ADDRESS", "lives at 1600 Pennsylvania Avenue today", "1600 Pennsylvania Avenue"),
    ("STREET_ADDRESS", "Wohnhaft Lange Hauptstraße 12 in Ulm", "Lange Hauptstraße 12"),
    ("PHONE_NUMBER", "+44 20 7946 0958", "+44 20 7946 0958"),
    ("PHONE_NUMBER", "call (415) 555-0132 ext. 12", "(415) 555-0132 ext. 12"),
    ("PHONE_NUMBER", "Tel.: 030/901820", "030/901820"),
    ("PHONE_NUMBER", "reach me on 9876543210", "9876543210"),
]  # fmt: skip

LEFT = [
    ("PHONE_NUMBER", "order number 4155550132"),
    ("PHONE_NUMBER", "from 2019-2023 and on 2024-01-05"),
    ("PHONE_NUMBER", "pi is 3.14159265358979"),
    ("PHONE_NUMBER", "it cost $12,345,678"),
    ("PHONE_NUMBER", "1 2 3 4 5 6 7 8 9 10"),
    ("CREDIT_CARD", "card 4111 1111 1111 1112"),
    ("CREDIT_CARD", "the order 4111111111111111 was sent"),
    ("IP_ADDRESS", "version 1.2.3.4"),
    ("IP_ADDRESS", "999.1.2.3 or 1.2.3"),
    ("IP_ADDRESS", "std::vector<int> a; at 12:34:56"),
    ("US_SSN", "666-12-3456 and 000-12-3456"),
    ("US_PASSPORT", "in 123456789 cases"),
    ("URL", "node.js and main.py and e.g. this"),
    ("ES_NIF", "12345678A"),
    ("IT_FISCAL_CODE", "RSSMRA85T10A562T"),
    ("AGE", "it took 45 minutes; i am 5 minutes late"),
    ("EMAIL_ADDRESS", "@handle and a@b"),
]


@pytest.mark.parametrize(("kind", "text", "span"), FOUND)
def test_it_finds(kind: str, text: str, span: str) -> None:
    """A published example of each kind is found, where it stands and no further."""
    assert (kind, span) in [(each.kind, text[each.start : each.end]) for each in DETECTOR.look(text, "user")]


@pytest.mark.parametrize(("kind", "text"), LEFT)
def test_it_leaves(kind: str, text: str) -> None:
    """What only looks like the kind is left alone."""
    assert [each for each in DETECTOR.look(text, "user") if each.kind == kind] == []


def test_only_the_wanted_kinds_are_found() -> None:
    """A guard that asks for cards is told of nothing else, and a kind that nobody finds is refused."""
    found = PiiDetector(["CREDIT_CARD"]).look("a@b.example, 4111111111111111", "user")
    assert [each.kind for each in found] == ["CREDIT_CARD"]
    with pytest.raises(ValueError, match="PERSON"):
        PiiDetector(["PERSON"])


@given(st.text(alphabet=st.sampled_from("0123456789 -.+()@:/abcAZé\n'#x"), max_size=200))
def test_findings_keep_the_contract(text: str) -> None:
    """Spans lie in the text, in order, without overlap, above the threshold, and the same each time."""
    found = DETECTOR.look(text, "user")
    assert found == DETECTOR.look(text, "user")
    at = 0
    for each in found:
        assert at <= each.start < each.end <= len(text)
        assert each.score >= DETECTOR.threshold
        assert each.kind in KINDS
        at = each.end


@given(st.integers(0, 10**15 - 1), st.sampled_from(["", " ", "-"]))
def test_every_card_is_found_in_every_grouping(seed: int, sign: str) -> None:
    """A number with the right check digit is found after the word card, however its digits are grouped."""
    body = f"4{seed % 10**14:014d}"
    number = next(f"{body}{check}" for check in range(10) if checksums.luhn(f"{body}{check}"))
    written = sign.join(number[at : at + 4] for at in range(0, 16, 4))
    text = f"My card is {written}."
    assert ("CREDIT_CARD", written) in [
        (each.kind, text[each.start : each.end]) for each in DETECTOR.look(text, "user")
    ]


def test_one_changed_digit_is_no_number_any_more() -> None:
    """Luhn, Verhoeff, MOD 97-10 and MOD 11,10 notice every change of a single digit."""
    draw = random.Random(7)
    for check, size in ((checksums.luhn, 16), (checksums.verhoeff, 12), (checksums.mod_11_10, 11)):
        number = next(
            text for text in ("".join(draw.choices("0123456789", k=size)) for _ in range(1000)) if check(text)
        )
        for place in range(size):
            for digit in "0123456789":
                changed = number[:place] + digit + number[place + 1 :]
                assert check(changed) == (changed == number)


def test_each_row_names_its_source() -> None:
    """No format is guessed: each row says who publishes it."""
    assert [each.kind for each in ROWS if len(each.source) < 5] == []


def test_hostile_texts_take_no_longer_than_their_length() -> None:
    """Runs that make backtracking engines explode are only long texts here: work is linear, so this ends."""
    for piece in ("1 ", "1-", "a@", "a.", "12:", "(1)", "Aa ", "1.1.", "street ", "+1 "):
        DETECTOR.look(piece * 4_000, "user")
