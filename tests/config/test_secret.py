"""Secrets: what they resolve to, and that nothing shows them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from penstock.config.document import Document, Secret, SecretError, shown
from penstock.config.load import ConfigError, load_text

VALUE = "sk-very-secret"
SHOWN = {
    "reference": (Secret.template("${KEY}"), "${KEY}"),
    "file": (Secret.template("${file:/run/key}"), "${file:/run/key}"),
    "literal": (Secret.template(VALUE), "********"),
    "default": (Secret.template("${KEY:-" + VALUE + "}"), "********"),
    "mixture": (Secret.template(VALUE + "${KEY}"), "********"),
    "sealed": (Secret.sealed(VALUE.encode()), "********"),
    "hashed": (Secret.hashed(VALUE), "********"),
}


@pytest.mark.parametrize("name", SHOWN)
def test_only_references_are_shown(name: str) -> None:
    """Neither repr, str, format, JSON nor a document around it shows a value."""
    secret, expected = SHOWN[name]
    texts = [
        repr(secret),
        str(secret),
        f"{secret}",
        repr({"a": [secret]}),
        msgspec.json.encode(secret, enc_hook=shown).decode(),
    ]
    assert all(expected in text and VALUE not in text for text in texts)


def test_json_without_our_hook_refuses() -> None:
    """Somebody who encodes a document carelessly gets an error and no secret."""
    with pytest.raises(TypeError):
        msgspec.json.encode([Secret.template(VALUE)])


def test_a_loaded_document_never_shows_its_secrets() -> None:
    """Literal keys, header values and database addresses are hidden, references stay readable."""
    document = load_text(
        f"""\
server: {{database_url: "postgresql://u:{VALUE}@h/d"}}
providers:
  a: {{kind: openai, api_key: {VALUE}, headers: {{x-auth: "Bearer {VALUE}"}}}}
  b: {{kind: openai, api_key: "${{KEY}}"}}
keys: [{{name: k, secret: {VALUE}}}]
""",
        {"KEY": VALUE},
        needs=(),
    )
    for text in (repr(document), str(document), msgspec.json.encode(document, enc_hook=shown).decode()):
        assert VALUE not in text
        assert "${KEY}" in text


def test_problems_never_show_secrets() -> None:
    """A secret of the wrong type or in the wrong place is reported without its value."""
    for text in (f"keys: [{{name: a, secret: [{VALUE}]}}]", "keys: [{name: a, secret: 123456}]"):
        with pytest.raises(ConfigError) as caught:
            load_text(text, {})
        assert VALUE not in str(caught.value)
        assert "123456" not in str(caught.value)


def test_resolving(tmp_path: Path) -> None:
    """References to variables and files, defaults, mixtures and the escape."""
    file = tmp_path / "key"
    file.write_text("from-file\n")
    env = {"KEY": "k"}
    cases = {
        "${KEY}": "k",
        "${env:KEY}": "k",
        "Bearer ${KEY}": "Bearer k",
        "${NO:-d}": "d",
        f"${{file:{file}}}": "from-file",
        "$${KEY}": "${KEY}",
        "plain": "plain",
    }
    assert {text: Secret.template(text).resolve(env) for text in cases} == cases
    assert Secret.literal("a${KEY}").resolve(env) == "a${KEY}"


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (Secret.template("${NO}"), "environment variable NO is not set"),
        (Secret.template("${file:/nowhere/x}"), "secret file /nowhere/x: No such file or directory"),
        (Secret.template("${NO:-}"), "this secret is empty"),
        (Secret.template("a\nb"), "this secret has a line break or another control character"),
        (Secret.sealed(b"x"), "this secret is sealed; open it with the master key first"),
        (Secret.hashed("00"), "this secret is known only by its hash; use sha256()"),
    ],
)
def test_what_does_not_resolve(secret: Secret, message: str) -> None:
    """Each reason is one sentence without a value."""
    with pytest.raises(SecretError, match=message.replace("(", r"\(").replace(")", r"\)")):
        secret.resolve({})


def test_hashes_agree() -> None:
    """A template and its hash are the same key."""
    digest = hashlib.sha256(b"k").hexdigest()
    assert Secret.template("${KEY}").sha256({"KEY": "k"}) == Secret.hashed(digest).sha256({}) == digest


def test_a_missing_variable_is_an_error_with_its_place() -> None:
    """It is found when the file is read, not when the first request comes."""
    with pytest.raises(ConfigError) as caught:
        load_text('providers: {a: {kind: openai, api_key: "${NO}"}}', {})
    assert str(caught.value) == (
        "penstock.yaml:1:40: providers.a.api_key: environment variable NO is not set; set it"
    )


def test_secrets_compare_by_content() -> None:
    """Equal documents stay equal although secrets are no structs."""
    assert Secret.template("a") == Secret.template("a")
    assert Secret.template("a") != Secret.sealed(b"a")
    assert Document() == Document()
