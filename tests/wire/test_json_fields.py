"""The scan of a JSON object against json.loads with an eye on repeated keys."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.json_fields import FieldsError, scan

OWNED = {"model": "model", "stream": "stream", "max_tokens": "max_tokens"}
KEYS = st.one_of(
    st.sampled_from(["model", "Model", "stream", "STREAM", "max_tokens", "x", "é", 'q"', "\\", ""]),
    st.text(max_size=4),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=6))
VALUES = st.recursive(
    SCALARS,
    lambda v: st.one_of(st.lists(v, max_size=3), st.dictionaries(st.text(max_size=3), v, max_size=3)),
    max_leaves=6,
)
MEMBERS = st.lists(st.tuples(KEYS, VALUES), max_size=6)
SPACE = st.sampled_from(["", " ", "\n", "\t ", "\r\n"])


@given(
    MEMBERS,
    st.booleans(),
    SPACE,
    st.dictionaries(st.sampled_from(["model", "stream", "new"]), SCALARS, max_size=3),
)
def test_scan_and_patch_agree_with_json(
    members: list[tuple[str, Any]], ascii_only: bool, space: str, edits: dict[str, Any]
) -> None:
    """Distinct keys: a patched body means what the modified object means. Otherwise it is refused."""
    text = ",".join(
        f"{space}{json.dumps(k, ensure_ascii=ascii_only)}{space}:{space}{json.dumps(v)}{space}"
        for k, v in members
    )
    body = f"{space}{{{text}}}{space}".encode("utf-8", "surrogatepass")
    pairs: list[tuple[str, Any]] = json.loads(body.decode("utf-8", "surrogatepass"), object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    bad = len(set(keys)) != len(keys) or any(k.casefold() in OWNED and k not in OWNED for k in keys)
    try:
        fields = scan(body, OWNED)
    except FieldsError as error:
        assert bad or error.code == "invalid_json"  # noqa: PT017 - both outcomes are right, each for its input
        return
    assert not bad
    wanted = {**json.loads(body), **edits}
    patched = fields.patch({key: json.dumps(value).encode() for key, value in edits.items()})
    assert json.loads(patched) == wanted
    for key in fields.spans:
        assert json.loads(fields.without(key)) == {k: v for k, v in json.loads(body).items() if k != key}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"model":"a","model":"a"}', "duplicate_key"),
        (b'{"model":"a","model":"b"}', "duplicate_key"),
        (b'{"model":"a","mod\\u0065l":"b"}', "duplicate_key"),
        (b'{"a":{"model":"b"},"model":"c","a":{"model":"b"}}', "duplicate_key"),
        (b'{"Model":"a"}', "case_variant_key"),
        (b"[]", "not_an_object"),
        (b"", "invalid_json"),
        (b'{"a":1}x', "invalid_json"),
        (b'{"a":\xff}', "invalid_json"),
        (b'{"a":1,}', "invalid_json"),
    ],
)
def test_what_could_mean_two_things_is_refused(body: bytes, code: str) -> None:
    """Each fault has its code."""
    with pytest.raises(FieldsError) as caught:
        scan(body, OWNED)
    assert caught.value.code == code
