"""Webhooks that answer, ready to be asked."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlsplit

from penstock.compile.targets import CompileError, Proxy, Reveal
from penstock.config.access_checks import is_metadata
from penstock.config.document import Secret, SecretError, WebhookNode
from penstock.core.hook import Hook
from penstock.core.origin import Origin

_PREFIX = "whsec_"
_LEAST_KEY, _MOST_KEY = 24, 64


def hook_of(route: str, config: WebhookNode, reveal: Reveal, ca_file: str, proxy: Proxy) -> Hook:
    """The hook of a policy. Raises CompileError."""
    at = f"routes.{route}.policy: webhook"
    parts = urlsplit(config.url)
    host = parts.hostname or ""
    if is_metadata(host):
        raise CompileError(f"{at}.url: the address of a cloud's metadata, which nothing is ever posted to")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    origin = Origin(parts.scheme, host, port, ca_file=ca_file, proxy=proxy(parts.scheme, host))
    key = signing_key(config.secret, reveal, at) if config.secret is not None else b""
    return Hook(origin, (parts.path or "/").encode(), key, config.timeout_s, prompt=config.prompt)


def signing_key(secret: Secret, reveal: Reveal, at: str) -> bytes:
    """What signs posts, as Standard Webhooks write it. Raises CompileError, which names the key `at` fault."""
    try:
        text = reveal(secret)
    except SecretError as error:
        raise CompileError(f"{at}.secret: {error}") from None
    if text.startswith("not-a-secret-"):
        return b"dry"  # compile.dry makes up a text for every secret
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(_PREFIX) or not _LEAST_KEY <= len(key) <= _MOST_KEY:
        how = "write whsec_ and 24 to 64 random bytes in base64, as `openssl rand -base64 32` gives them"
        raise CompileError(f"{at}.secret: {how}")
    return key
