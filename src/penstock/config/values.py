"""Text to values: sizes, durations, addresses, money. Pure functions that raise `BadValueError`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from penstock.config.document.secret import REFERENCE


class BadValueError(Exception):
    """A text is not what the field takes; says so, and how to write it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint


_SIZE_UNITS = {
    "": 1,
    "b": 1,
    "kb": 1000,
    "mb": 1000**2,
    "gb": 1000**3,
    "tb": 1000**4,
    "kib": 1024,
    "mib": 1024**2,
    "gib": 1024**3,
    "tib": 1024**4,
}
_DURATION_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_QUANTITY = re.compile(r"([0-9]{1,18}) ?([A-Za-z]*)")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,127}")
_HOST = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?)*"
)
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")
# A secret of the KV engine, version 2, and one of its fields.
_VAULT_PLACE = re.compile(r"[\w.@+-][\w.@+/-]*/data/[\w.@+-][\w.@+/ -]*#[^#\s]+")
_MAX_PORT = 65_535
# What fits the binary forms in which a document is stored.
LARGEST_INTEGER = 2**63 - 1
# Answers about a machine's own identity and credentials; a model never lives there.
_METADATA_HOSTS = frozenset({"169.254.169.254", "fd00:ec2::254", "metadata.google.internal", "100.100.100.200"})


def expand(text: str, env: Mapping[str, str]) -> str:
    """The text with `${NAME}` and `${NAME:-default}` replaced; `$${` becomes `${`.

    Raises:
        BadValueError: a variable is not set, a reference is malformed, or it names a file.
    """
    check_references(text, env)

    def replacement(match: re.Match[str]) -> str:
        if match["escape"]:
            return "${"
        if match["file"] or match["vault"]:
            kind = "file" if match["file"] else "vault"
            raise BadValueError(f"${{{kind}:…}} works only for secrets", "write the value, or use ${VARIABLE}")
        return env.get(match["name"]) or match["default"] or ""

    return REFERENCE.sub(replacement, text)


def check_references(text: str, env: Mapping[str, str]) -> None:
    """Every `${…}` is well formed, and every variable is set or has a default.

    Raises:
        BadValueError: the first one that is not.
    """
    if "${" in REFERENCE.sub("", text):
        raise BadValueError("a malformed ${…}", "write ${NAME} or ${NAME:-default}, or $${ for a literal ${")
    for match in REFERENCE.finditer(text):
        name = match["name"]
        if match["vault"] and not _VAULT_PLACE.fullmatch(match["vault"]):
            raise BadValueError(
                f"{match[0]} is not a place in Vault",
                "write ${vault:MOUNT/data/PATH#FIELD}, the path as Vault's HTTP API has it",
            )
        if name and match["default"] is None and not env.get(name):
            state = "empty" if name in env else "not set"
            raise BadValueError(
                f"environment variable {name} is {state}", f"set it, or write ${{{name}:-default}}"
            )
        if name and any("\ud800" <= character <= "\udfff" for character in env.get(name, "")):
            raise BadValueError(f"environment variable {name} is not UTF-8")


def name(text: str) -> str:
    """A name as it can stand in headers, metrics and `provider/model`."""
    if not _NAME.fullmatch(text):
        hint = "use letters, digits and _ . : @ + -, at most 128, no slash"
        raise BadValueError("not usable as a name", hint)
    return text


def size(text: str) -> int:
    """Bytes from `4096`, `32MB` (powers of ten) or `32MiB` (powers of two)."""
    return _quantity(
        text, _SIZE_UNITS, "not a size", "write bytes, or a number with kB, MB, GB, KiB, MiB or GiB"
    )


def duration(text: str) -> int:
    """Seconds from `3600`, `30s`, `15m`, `12h`, `30d` or `2w`."""
    return _quantity(text, _DURATION_UNITS, "not a duration", "write a whole number with s, m, h, d or w")


def _quantity(text: str, units: Mapping[str, int], message: str, hint: str) -> int:
    match = _QUANTITY.fullmatch(text)
    factor = units.get(match[2].lower()) if match else None
    if match is None or factor is None:
        raise BadValueError(message, hint)
    value = int(match[1]) * factor
    if value > LARGEST_INTEGER:
        raise BadValueError("out of range", "write a number below 2**63")
    return value


def decimal(text: str) -> Decimal:
    """An exact amount from 0, with at most nine digits after the point."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadValueError("not a number", "write it like 0.25") from None
    plain = format(value, "f") if value.is_finite() and abs(value.adjusted()) < 50 else ""
    plain = plain.rstrip("0").removesuffix(".") if "." in plain else plain
    if not _DECIMAL.fullmatch(plain):
        raise BadValueError("out of range", "write a number from 0 with at most nine digits after the point")
    return Decimal(plain)


def day(text: str) -> date:
    """A day such as `2026-05-01`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadValueError("not a day", "write it like 2026-05-01") from None


def moment(text: str) -> int:
    """Milliseconds since the Unix epoch from `2026-12-01T12:00:00Z`, or a day, from 0:00 UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadValueError("not a moment", "write it like 2026-12-01T12:00:00Z") from None
    at = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    try:
        return int(at.timestamp() * 1000)
    except (OverflowError, ValueError):
        raise BadValueError("out of range", "write a moment after 1970") from None


def split_address(text: str) -> tuple[str, int]:
    """Host (without brackets) and port of `127.0.0.1:4000`, `[::1]:4000` or `localhost:4000`.

    Raises:
        BadValueError: it is not such an address.
    """
    host, colon, port = text.rpartition(":")
    hint = "write host:port, such as 127.0.0.1:4000 or [::1]:4000"
    if not colon or not port.isascii() or not port.isdigit() or int(port[:6]) > _MAX_PORT:
        raise BadValueError("not an address with a port", hint)
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not (_is_ip(host, 6) if bracketed else _is_ip(host, 4) or _is_host_name(host)):
        raise BadValueError("not an address with a port", hint)
    return host, int(port)


def address(text: str) -> str:
    """An address to listen on, checked by `split_address`."""
    split_address(text)
    return text


def is_loopback(listen: str) -> bool:
    """Whether only this machine reaches the address; a host name other than localhost counts as reachable."""
    host, _ = split_address(listen)
    return host.lower() == "localhost" or (
        (_is_ip(host, 4) or _is_ip(host, 6)) and ipaddress.ip_address(host).is_loopback
    )


def url(text: str) -> str:
    """An http or https URL without query, fragment or user name; trailing slashes are dropped."""
    hint = "write http://… or https://…"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadValueError("not a URL", hint) from None
    if parts.scheme not in {"http", "https"} or not text.isascii() or not text.isprintable() or " " in text:
        raise BadValueError("not a URL", hint)
    if not (_is_ip(host, 4) or _is_ip(host, 6) or _is_host_name(host)):
        raise BadValueError("not a URL", hint)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise BadValueError("a URL with a query or fragment", "remove what follows ? or #")
    if parts.username is not None or parts.password is not None:
        raise BadValueError("a URL with a user name or password", "use api_key or headers for credentials")
    if host.lower().rstrip(".") in _METADATA_HOSTS:
        raise BadValueError("the address of a cloud's metadata service, which is never a model server")
    return text.rstrip("/")


def network(text: str) -> str:
    """An address or network such as `10.0.0.0/8`."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise BadValueError("not a network", "write an address, or a network such as 10.0.0.0/8") from None


def _is_ip(host: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _is_host_name(host: str) -> bool:
    # All digits and dots is a mistyped address, never a name.
    return bool(_HOST.fullmatch(host)) and not re.fullmatch(r"[0-9.]+", host)


def lateness(text: str) -> str:
    """Seconds such as `0.8`, or a percentile such as `p95`, as text."""
    percentile = re.fullmatch(r"p(\d{1,2}(?:\.\d)?)", text)
    try:
        fine = float(percentile[1]) >= 1.0 if percentile else 0.0 < float(text) <= 3600.0
    except ValueError:
        fine = False
    if not fine:
        raise BadValueError("neither seconds nor a percentile", "write it like p95 or 0.8")
    return text


READS: Mapping[str, Callable[[str], object]] = {
    "name": name,
    "size": size,
    "duration": duration,
    "decimal": decimal,
    "address": address,
    "url": url,
    "network": network,
    "moment": moment,
    "lateness": lateness,
}
# These take an unquoted number; the others are text, and a number must be quoted to be one.
NUMERIC = frozenset({"size", "duration", "decimal", "lateness"})
