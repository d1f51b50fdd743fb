"""Credentials whose form no vendor owns, and the whole table."""

from __future__ import annotations

from typing import Final

from penstock.guardrails.secrets.clouds import CLOUD_ROWS, MODEL_ROWS
from penstock.guardrails.secrets.row import SecretRow
from penstock.guardrails.secrets.services import CODE_ROWS, SERVICE_ROWS

_URL: Final = r"[A-Za-z0-9_\-]"

FORMAT_ROWS: Final = (
    SecretRow("JWT", rf"(eyJ{_URL}{{10,}}\.eyJ{_URL}{{10,}}\.{_URL}{{16,}})", "RFC 7519 section 3.1"),
    SecretRow(
        "PRIVATE_KEY",
        r"(-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)",
        "RFC 7468 sections 10 and 11; RFC 9580 section 6.2",
        random=False,
        score=0.99,
    ),
    SecretRow(
        "PUTTY_PRIVATE_KEY",
        r"(PuTTY-User-Key-File-[23]: )",
        "https://tartarus.org/~simon/putty-snapshots/htmldoc/AppendixC.html",
        random=False,
    ),
    SecretRow(
        "CONNECTION_STRING",
        r"\b((?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|redis|rediss|amqps?|mssql|sqlserver|"
        r"oracle|cockroachdb|clickhouse|ftps?|sftp|ssh|smtps?|ldaps?|https?|kafka|nats|"
        r"jdbc:[a-z]+)(?:\+[a-z0-9]+)?://[^\s:/@\"'<>]*:[^\s/@\"'<>]{1,200}@[^\s\"'<>]+)",
        "RFC 3986 section 3.2.1: user information before the host",
        random=False,
        score=0.9,
    ),
    SecretRow(
        "CONNECTION_STRING",
        r"(?i)(?:server|data source|host)=[^;\n]{1,200};[^\n]{0,300}?(?:password|pwd)=([^;\s\"']{3,200})",
        "https://learn.microsoft.com/dotnet/framework/data/adonet/connection-string-syntax",
        random=False,
        score=0.9,
    ),
    SecretRow(
        "AUTHORIZATION_HEADER",
        (
            r"(?i)\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic|token|"
            r"apikey)\s+([A-Za-z0-9._~+/=\-]{16,})"
        ),
        "RFC 9110 section 11.6.2; RFC 6750 section 2.1; RFC 7617 section 2",
        score=0.85,
    ),
)

ROWS: Final = (*MODEL_ROWS, *CLOUD_ROWS, *CODE_ROWS, *SERVICE_ROWS, *FORMAT_ROWS)
