"""Snapshots: what a gateway may start from, and what never stands in the file."""

from __future__ import annotations

import hashlib
import stat
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from penstock.adapters.secrets.aesgcm import AesGcmBox
from penstock.config.document import Document, Secret
from penstock.config.load import load_text
from penstock.config.snapshot import (
    Snapshot,
    SnapshotError,
    decode,
    encode,
    make_snapshot,
    read_snapshot,
    revision_of,
    write_snapshot,
)

LITERAL = "sk-literal-value"
KEY = "key-of-a-client"
BOX = AesGcmBox(b"k" * 32)
TEXT = f"""\
server: {{listen: "0.0.0.0:4000"}}
providers:
  a: {{kind: openai, api_key: {LITERAL}, headers: {{x-auth: "Bearer ${{TOKEN}}"}}}}
  b: {{kind: openai, api_key: "${{TOKEN}}"}}
  sim: {{kind: simulator}}
deployments:
  d: {{provider: b, model: m, price: {{input: 0.15}}, set: {{thinking: {{budget: 5}}, stop: [x, null, 1.5]}}}}
routes:
  r: {{policy: {{fallback: [{{weighted: [{{use: d, weight: 2}}, sim/echo]}}, {{static: Sorry}}]}}}}
keys: [{{name: k, secret: "${{CLIENT}}", budget: {{usd: 1.5, window: day}}}}]
"""
ENV = {"TOKEN": "token-value", "CLIENT": KEY}


def snapshot(text: str = TEXT, prices: bytes = b"prices") -> Snapshot:
    """A snapshot of a configuration."""
    return make_snapshot(load_text(text, ENV), ENV, 1_700_000_000_000, prices)


def test_a_snapshot_comes_back_equal() -> None:
    """Everything survives: decimals, policies, free parameters, references, sealed values, hashes."""
    before = snapshot()
    after = decode(encode(before, BOX), BOX)
    assert after == before
    document = after.document
    assert document.providers["a"].api_key == Secret.template(LITERAL)
    assert document.providers["a"].headers["x-auth"].resolve(ENV) == "Bearer token-value"
    price = document.deployments["d"].price
    assert price is not None
    assert price.input == Decimal("0.15")
    assert document.keys[0].secret == Secret.hashed(hashlib.sha256(KEY.encode()).hexdigest())


def test_no_secret_stands_in_the_file() -> None:
    """Literals are sealed, keys hashed, references stay names."""
    data = encode(snapshot(), BOX)
    for value in (LITERAL, KEY, "token-value", "Bearer"):
        assert value.encode() not in data
    assert b"${TOKEN}" in data


def test_the_revision_changes_with_the_content_alone() -> None:
    """The same content has one revision at any time; document, prices, secrets and keys each change it."""
    env = ENV | {"CLIENT": "another"}
    others = [
        snapshot(TEXT.replace("0.15", "0.16")),
        snapshot(prices=b"other"),
        snapshot(TEXT.replace(LITERAL, "sk-other")),
        make_snapshot(load_text(TEXT, env), env, 0, b"prices"),
    ]
    revisions = {snapshot().revision, *(other.revision for other in others)}
    assert len(revisions) == 5
    assert make_snapshot(load_text(TEXT, ENV), ENV, 0, b"prices").revision == snapshot().revision
    assert revision_of(Document()) == revision_of(Document())


def test_a_file_is_written_for_the_owner_alone_and_replaced_whole(tmp_path: Path) -> None:
    """Mode 0600, no draft left behind, and the second write wins."""
    path = tmp_path / "snapshot"
    write_snapshot(path, snapshot(), BOX)
    second = snapshot(prices=b"second")
    write_snapshot(path, second, BOX)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert read_snapshot(path, BOX) == second


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """What cannot be encoded touches nothing."""
    path = tmp_path / "snapshot"
    write_snapshot(path, snapshot(), BOX)
    unhashed = Snapshot(revision="x", created_ms=0, document=load_text(TEXT, ENV))
    with pytest.raises(SnapshotError, match="key k is not hashed"):
        write_snapshot(path, unhashed, BOX)
    assert list(tmp_path.iterdir()) == [path]
    assert read_snapshot(path, BOX) == snapshot()


def test_every_torn_file_is_refused(tmp_path: Path) -> None:
    """Cut at any byte, or with any byte changed, a file is an error and never a half configuration."""
    data = encode(snapshot(), BOX)
    path = tmp_path / "snapshot"
    for cut in range(0, len(data), 7):
        path.write_bytes(data[:cut])
        with pytest.raises(SnapshotError):
            read_snapshot(path, BOX)
    for index in range(0, len(data), 7):
        with pytest.raises(SnapshotError):
            decode(data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :], BOX)


def test_foreign_files_are_refused_with_the_path(tmp_path: Path) -> None:
    """Another program's file, a missing one, another master key, and a document of another version."""
    path = tmp_path / "snapshot"
    told: list[str] = []
    payload = msgspec.msgpack.encode({"format": 1, "revision": "r", "created_ms": 0, "document": {"later": 1}})
    framed = b"penstock snapshot 1\n" + hashlib.sha256(payload).digest() + payload
    for data in (None, b"SQLite format 3\0", framed, encode(snapshot(), AesGcmBox(b"x" * 32))):
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(SnapshotError) as caught:
            read_snapshot(path, BOX)
        told.append(str(caught.value).removeprefix(f"{path}: "))
    assert told[:2] == ["No such file or directory", "this is not a snapshot of this version of Penstock"]
    assert told[2].startswith(
        "the snapshot does not fit this version of Penstock: Object contains unknown field"
    )
    assert told[3] == (
        "its sealed values cannot be opened: "
        "a secret that was sealed with another key or for another purpose, or is damaged"
    )


def test_two_keys_that_resolve_to_one_secret_are_refused() -> None:
    """Different variables may hold the same value; then nobody could tell whose request it is."""
    text = 'keys: [{name: a, secret: "${A}"}, {name: b, secret: "${B}"}]'
    env = {"A": "same", "B": "same"}
    with pytest.raises(SnapshotError, match="keys a and b have the same secret"):
        make_snapshot(load_text(text, env), env, 0)


def test_a_key_whose_secret_is_gone_is_refused() -> None:
    """The message names key and variable."""
    document = load_text('keys: [{name: a, secret: "${A}"}]', {"A": "x"})
    with pytest.raises(SnapshotError, match="key a: environment variable A is not set"):
        make_snapshot(document, {}, 0)
