"""Credentials of clouds in the configuration: what belongs together, and what is never shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.adapters.secrets.aesgcm import AesGcmBox
from penstock.compile.access import signing_of, sources_of
from penstock.config.access_checks import is_metadata
from penstock.config.document import Document, Secret
from penstock.config.load import ConfigError, load_text
from penstock.config.snapshot import decode, encode, make_snapshot

BOX = AesGcmBox(b"k" * 32)
BEDROCK = "kind: bedrock, region: eu-west-1"
VERTEX = "kind: vertex, region: europe-west4, project: p"
AZURE = "kind: azure, account: a"


def loaded(provider: str) -> Document:
    """A document with one provider."""
    return load_text(f"version: 1\nproviders:\n  p: {{{provider}}}\n", {})


def reveal(secret: Secret) -> str:
    """A secret in an empty environment."""
    return secret.resolve({})


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        (f"{BEDROCK}, api_key: k, aws: {{profile: x}}", "has no effect beside api_key"),
        (f"{BEDROCK}, google: {{}}", "kind bedrock takes no such credentials"),
        (f"{VERTEX}, aws: {{}}", "kind vertex takes no such credentials"),
        (f"{VERTEX}, entra: {{}}", "kind vertex takes no such credentials"),
        (f"{BEDROCK}, aws: {{access_key_id: a}}", "half a key"),
        (f"{BEDROCK}, aws: {{session_token: a}}", "it belongs to an access_key_id"),
        (
            f"{BEDROCK}, aws: {{access_key_id: a, secret_access_key: b, profile: c}}",
            "has no effect beside access_key_id",
        ),
        (f"{BEDROCK}, aws: {{external_id: a}}", "it belongs to a role_arn"),
        (f"{AZURE}, entra: {{tenant_id: t, client_id: c}}", "client_secret: is missing"),
        ('kind: bedrock, base_url: "https://proxy.example.com"', "the region to sign for is not known"),
        (
            'kind: bedrock, base_url: "https://h.example.com", api_key: k, region: eu-west-1',
            "region: has no effect",
        ),
        ('kind: openai, base_url: "http://169.254.169.254/v1"', "the address of a cloud's metadata"),
        ('kind: openai, base_url: "http://metadata.google.internal/v1"', "the address of a cloud's metadata"),
    ],
)
def test_what_does_not_belong_together_is_refused(provider: str, message: str) -> None:
    """With the key at fault and what to do about it."""
    with pytest.raises(ConfigError) as caught:
        loaded(provider)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("provider", "cloud", "outside"),
    [
        (BEDROCK, "aws", True),
        (f"{BEDROCK}, aws: {{access_key_id: a, secret_access_key: b}}", "aws", False),
        (f"{BEDROCK}, aws: {{access_key_id: a, secret_access_key: b, role_arn: c}}", "aws", True),
        (VERTEX, "google", True),
        (f"{AZURE}, entra: {{tenant_id: t, client_id: c, client_secret: s}}", "entra", True),
        (f"{AZURE}, api_key: k", None, False),
        (f"{BEDROCK}, api_key: k", None, False),
        (f"{VERTEX}, api_key: k", None, False),
        ('kind: bedrock, base_url: "http://h", headers: {Authorization: own}', None, False),
    ],
)
def test_only_what_expires_or_must_be_looked_for_needs_the_credentials_process(
    provider: str, cloud: str | None, *, outside: bool
) -> None:
    """Fixed keys sign in the gateway, an API key or an own header needs no signature."""
    document = loaded(provider)
    signing = signing_of("p", document.providers["p"], reveal)
    assert (signing.cloud if signing is not None else None) == cloud
    assert bool(list(sources_of(document, reveal))) == outside


def test_another_access_is_another_source() -> None:
    """A changed profile or secret never gets the credential of the one before it."""
    texts = [
        f"{BEDROCK}, aws: {{profile: a}}",
        f"{BEDROCK}, aws: {{profile: b}}",
        f"{BEDROCK}, aws: {{role_arn: a}}",
        "kind: bedrock, region: eu-west-2, aws: {profile: a}",
        f"{VERTEX}, google: {{credentials: a}}",
        f"{VERTEX}, google: {{credentials: b}}",
    ]
    names = [source.name for text in texts for source in sources_of(loaded(text), reveal)]
    assert len(set(names)) == len(texts)
    assert names == [source.name for text in texts for source in sources_of(loaded(text), reveal)]


def test_secrets_are_sealed_in_the_snapshot_and_hidden_everywhere() -> None:
    """Keys, tokens, accounts and client secrets are in no representation, and come back from the snapshot."""
    hidden = ["id-hush", "key-hush", "token-hush", "ext-hush", "json-hush", "client-hush"]
    text = (
        "version: 1\nproviders:\n"
        f"  a: {{{BEDROCK}, aws: {{access_key_id: id-hush, secret_access_key: key-hush,"
        " session_token: token-hush, role_arn: r, external_id: ext-hush}}\n"
        f"  b: {{{VERTEX}, google: {{credentials: json-hush}}}}\n"
        f"  c: {{{AZURE}, entra: {{tenant_id: t, client_id: c, client_secret: client-hush}}}}\n"
    )
    document = load_text(text, {})
    snapshot = make_snapshot(document, {}, 0)
    stored = encode(snapshot, BOX)
    told = repr(document) + repr(snapshot) + stored.decode("latin-1")
    told += repr([signing_of(name, each, reveal) for name, each in document.providers.items()])
    assert [each for each in hidden if each in told] == []
    assert decode(stored, BOX).document == document


def test_fixed_keys_are_in_no_representation() -> None:
    """Neither of the signing nor of the keys themselves, but for the id that AWS shows as well."""
    config = loaded(f"{BEDROCK}, aws: {{access_key_id: AKID, secret_access_key: hush, session_token: hush2}}")
    signing = signing_of("p", config.providers["p"], reveal)
    assert signing is not None
    assert "hush" not in repr(signing) + repr(signing.fixed)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.170.2",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "Metadata.google.internal.",
    ],
)
def test_addresses_of_metadata_are_known(host: str) -> None:
    """By number, as a mapped number, and by name."""
    assert is_metadata(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "api.openai.com", "::1", "fe80::1"])
def test_other_addresses_are_none(host: str) -> None:
    """Loopback and private networks are where model servers are."""
    assert not is_metadata(host)


def test_the_examples_of_the_document_are_valid() -> None:
    """Each block of docs/credentials.md is a part of a configuration that loads."""
    text = (Path(__file__).parents[2] / "docs" / "credentials.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        env = dict.fromkeys(re.findall(r"\$\{([A-Z_]+)\}", block), "value")
        assert load_text(f"version: 1\n{block}", env).providers
