"""Addresses on networks: e-mail, URL, IP, MAC."""

from __future__ import annotations

import ipaddress
import re

from penstock.guardrails.pii.recogniser import Recogniser

# Country codes and generic names that people write without a scheme and that are no word, no file's ending.
_TLD = (
    "com|org|net|edu|gov|mil|int|info|biz|dev|app|cloud|online|site|store|shop|tech|blog|xyz|club|agency|email|"
    "network|news|live|world|today|life|design|digital|company|finance|health|legal|law|museum|travel|"
    "jobs|mobi|"
    "uk|de|fr|es|pt|nl|ch|se|dk|fi|eu|cz|sk|hu|ro|bg|gr|hr|si|rs|ua|ru|by|lt|lv|ee|ie|lu|li|mt|cy|tr|il|"
    "ae|sa|eg|"
    "za|ke|ng|gh|ma|tn|dz|jp|cn|kr|tw|hk|sg|th|vn|ph|au|nz|ca|mx|br|ar|cl|co|pe|uy|ve|ec|io|ai|tv|fm|gg"
)
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}_\-]*[\p{L}\p{N}])?"
_HEX_GROUPS = re.compile(r"[0-9A-Fa-f]+")


def _email(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    return (
        len(text) <= 254
        and len(local) <= 64
        and ".." not in text
        and local[0] not in ".-"
        and local[-1] not in ".-"
        and all(len(label) <= 63 and label[-1] != "-" for label in domain.split("."))
    )


def _ipv4(text: str) -> bool:
    address, _, prefix = text.partition("/")
    parts = address.split(".")
    return all(len(each) == len(str(int(each))) and int(each) <= 255 for each in parts) and (
        not prefix or int(prefix) <= 32
    )


def _ipv6(text: str) -> bool:
    address, _, prefix = text.partition("/")
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    if prefix and int(prefix) > 128:
        return False
    # `std::` and `a::b` are code; an address written with :: has a group of several digits, or is the loopback.
    groups = _HEX_GROUPS.findall(address)
    return address == "::1" or (len(groups) >= 2 and any(len(each) >= 3 for each in groups))


def _mac(text: str) -> bool:
    return len({*text} & {*":-."}) == 1 and len({*text.upper()}) > 2


def _domain(text: str) -> bool:
    host = text.split("/", 1)[0].split(":", 1)[0]
    labels = host.split(".")
    return (
        all(0 < len(each) <= 63 for each in labels)
        and any(char.isalpha() for char in labels[-2])
        # `Inc.Net`: the start of a sentence after a missing space is no top-level domain.
        and (labels[-1].islower() or (host.isupper() and len(host) > 5))
    )


ROWS = (
    Recogniser(
        "EMAIL_ADDRESS",
        rf"([\p{{L}}\p{{N}}._%+\-']+@(?:{_LABEL}\.)+(?:\p{{L}}+|xn--[a-z0-9\-]+))",
        "RFC 5321 section 4.5.3.1, RFC 5322 section 3.4.1, RFC 6531",
        score=0.99,
        check=_email,
        loose=True,
        longest=254,
    ),
    Recogniser(
        "URL",
        r"((?i:https?|ftps?|wss?)://[^\s<>\"'`\\^{}|]+)",
        "RFC 3986",
        score=0.95,
        loose=True,
        longest=2048,
    ),
    Recogniser(
        "URL",
        rf"((?i:www)\.(?:{_LABEL}\.)+\p{{L}}{{2,}}(?::\d{{2,5}})?(?:/[^\s<>\"'`\\^{{}}|]*)?)",
        "RFC 1035 section 2.3.1",
        score=0.9,
        longest=2048,
    ),
    Recogniser(
        "URL",
        rf"((?:{_LABEL}\.)+(?:{_TLD}|{_TLD.upper()})\b(?::\d{{2,5}})?(?:/[^\s<>\"'`\\^{{}}|]*)?)",
        "RFC 1035 section 2.3.1; IANA root zone database",
        score=0.7,
        check=_domain,
        longest=2048,
    ),
    Recogniser(
        "IP_ADDRESS",
        r"((?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?)",
        "RFC 791; RFC 4632 section 3.1",
        score=0.9,
        check=_ipv4,
        never=r"version|ver|v|release|section|chapter|build|firmware|§",
    ),
    Recogniser(
        "IP_ADDRESS",
        r"((?:[0-9A-Fa-f]{1,4}:|:)(?:[0-9A-Fa-f]{0,4}:){1,6}(?:(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f]{0,4})"
        r"(?:/\d{1,3})?)",
        "RFC 4291 section 2.2",
        score=0.9,
        check=_ipv6,
    ),
    Recogniser(
        "MAC_ADDRESS",
        r"(?i)([0-9a-f]{2}(?:[:\-][0-9a-f]{2}){5}|[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})",
        "IEEE 802-2014 clause 8.1",
        score=0.9,
        check=_mac,
    ),
)
