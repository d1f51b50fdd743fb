"""Sign a request for AWS (Signature Version 4). Pure: the time and the credentials are arguments.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Amazon S3 deviates
from these rules and is not served: its paths are encoded once and never normalised.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
# These may change between the signature and AWS: hop-by-hop fields, tracing, the client's name.
_UNSIGNED = frozenset(
    {"authorization", "connection", "expect", "keep-alive", "trailer", "transfer-encoding", "upgrade"}
    | {"user-agent", "x-amzn-trace-id"}
)


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """What signs: `session_token` is that of temporary credentials, empty for lasting ones."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AwsScope:
    """Where a signature holds: Bedrock's runtime signs for the service `bedrock`."""

    region: str
    service: str


def body_hash(body: bytes) -> str:
    """The body's digest, as `sign` wants it."""
    return hashlib.sha256(body).hexdigest()


def model_path(model: str, action: str) -> str:
    """The path of a Bedrock model's action; ids with `:` and ARNs with `/` are percent-encoded."""
    return f"/model/{quote(model, safe='-._~')}/{action}"


def sign(
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Iterable[tuple[str, str]],
    payload_hash: str,
    scope: AwsScope,
    credentials: AwsCredentials,
    when: dt.datetime,
) -> list[tuple[str, str]]:
    """The headers to add to a request so that AWS accepts it.

    `path` is the path as it is sent, `query` its parameters decoded, `headers` those that are sent and that
    must not change on the way, `host` among them. `when` without a zone is in UTC.
    """
    when = when if when.tzinfo is not None else when.replace(tzinfo=dt.UTC)
    stamp = when.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
    added = [("x-amz-date", stamp)]
    if credentials.session_token:
        added.append(("x-amz-security-token", credentials.session_token))
    signed = _signed_headers([*headers, *added])
    names = ";".join(signed)
    canonical = "\n".join(
        [
            method,
            _canonical_path(path),
            _canonical_query(query),
            *[f"{name}:{value}" for name, value in signed.items()],
            "",
            names,
            payload_hash,
        ]
    )
    day = f"{stamp[:8]}/{scope.region}/{scope.service}/aws4_request"
    to_sign = f"{ALGORITHM}\n{stamp}\n{day}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_key, stamp[:8], scope.region, scope.service)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    authorization = (
        f"{ALGORITHM} Credential={credentials.access_key}/{day}, SignedHeaders={names}, Signature={signature}"
    )
    return [*added, ("authorization", authorization)]


def _signed_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Lower-case names in order; values trimmed, runs of spaces as one, repeated fields joined."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        lower = name.lower()
        if lower not in _UNSIGNED:
            found.setdefault(lower, []).append(" ".join(value.split()))
    return {name: ",".join(found[name]) for name in sorted(found)}


def _canonical_path(path: str) -> str:
    """The path that is sent, normalised and encoded once more: `%3A` in it is signed as `%253A`."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    whole = "/" + "/".join(parts)
    if len(whole) > 1 and path.endswith("/"):
        whole += "/"
    return quote(whole, safe="/-_.~")


def _canonical_query(query: Iterable[tuple[str, str]]) -> str:
    pairs = sorted([(quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query])
    return "&".join([f"{name}={value}" for name, value in pairs])


@lru_cache(maxsize=64)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """The key of one day, region and service; four digests that all requests of the day share."""
    key = f"AWS4{secret}".encode()
    for word in (day, region, service, "aws4_request"):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key
