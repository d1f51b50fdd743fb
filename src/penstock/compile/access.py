"""How a provider's requests are authorised where no fixed header does it, and by whose credentials."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from penstock.compile.scopes import own_accesses
from penstock.config.access_checks import signs
from penstock.config.document import AwsAccess, Document, GoogleAccess, Provider, Secret, SecretError
from penstock.core.credentials import AwsCredentials, Cloud, Signing
from penstock.providers.vendors import VENDORS

Reveal = Callable[[Secret], str]
_KEY_ID = Secret.template("${AWS_ACCESS_KEY_ID}")
_KEY = Secret.template("${AWS_SECRET_ACCESS_KEY}")
_TOKEN = Secret.template("${AWS_SESSION_TOKEN}")


@dataclass(frozen=True, slots=True)
class Source:
    """One credential that the credentials process keeps fresh; `name` changes with what it is made from."""

    name: str
    cloud: Cloud
    provider: Provider


def signing_of(name: str, config: Provider, reveal: Reveal) -> Signing | None:
    """How this provider's requests are authorised; None where a fixed header does it. Raises SecretError."""
    auth = VENDORS[config.kind].auth
    if config.api_key is not None or any(header.lower() == "authorization" for header in config.headers):
        return None
    if config.entra is not None:
        return Signing("entra", _source(name, config.entra, config))
    if auth == "google":
        return Signing("google", _source(name, config.google or GoogleAccess(), config))
    if not signs(config):
        return None
    aws = config.aws or AwsAccess()
    fixed = _fixed(aws, reveal)
    source = "" if fixed is not None else _source(name, aws, config)
    return Signing("aws", source, config.region or "", fixed)


def sources_of(document: Document, reveal: Reveal) -> Iterator[Source]:
    """The credentials that somebody must fetch. Raises SecretError."""
    own = [(access.name, access.config) for access in own_accesses(document)]
    for name, config in (*document.providers.items(), *own):
        signing = signing_of(name, config, reveal)
        if signing is not None and signing.source:
            yield Source(signing.source, signing.cloud, config)


def _fixed(aws: AwsAccess, reveal: Reveal) -> AwsCredentials | None:
    """Keys that can sign as they are: of the configuration, else of the environment."""
    if aws.role_arn is not None:
        return None
    if aws.access_key_id is not None and aws.secret_access_key is not None:
        token = reveal(aws.session_token) if aws.session_token is not None else ""
        return AwsCredentials(reveal(aws.access_key_id), reveal(aws.secret_access_key), token)
    if aws.profile is not None:
        return None
    key_id, key = _optional(_KEY_ID, reveal), _optional(_KEY, reveal)
    return AwsCredentials(key_id, key, _optional(_TOKEN, reveal)) if key_id and key else None


def _optional(secret: Secret, reveal: Reveal) -> str:
    try:
        return reveal(secret)
    except SecretError:
        return ""


def _source(name: str, access: msgspec.Struct, config: Provider) -> str:
    """The provider's name and a digest, too short to confirm a guess of the secrets that went into it."""

    def plain(value: object) -> object:
        if isinstance(value, Secret):
            return [value.kind, value.stored()]
        raise NotImplementedError(type(value).__name__)

    content = msgspec.msgpack.Encoder(enc_hook=plain).encode([type(access).__name__, access, config.region])
    return f"{name}:{hashlib.sha256(content).hexdigest()[:12]}"
