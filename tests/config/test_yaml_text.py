"""Strict YAML: what is refused, and that nothing but ConfigError ever comes out."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.config.load import ConfigError, load_text
from penstock.config.node import Mapping, Scalar, core_kind
from penstock.config.snapshot import decode, encode, make_snapshot
from penstock.config.yaml_text import parse_yaml

REFUSED = {
    "duplicate key": (
        "a: 1\nb: 2\na: 3\n",
        "f:3:1: a: this key already stands in line 1; remove one of them",
    ),
    "duplicate by quoting": ('a: 1\n"a": 2\n', "f:2:1: a: this key already stands in line 1"),
    "tag": ("a: !!str 5\n", "f:1:4: a: tags such as !!str are not supported"),
    "object tag": ("a: !!python/object/apply:os.system [x]\n", "f:1:4: a: tags such as !!str"),
    "merge key": ("a: {<<: {b: 1}}\n", 'f:1:5: a["<<"]: merge keys are not part of YAML 1.2'),
    "second document": ("a: 1\n---\nb: 2\n", "f:2:1: a second YAML document"),
    "number as key": ("404: x\n", 'f:1:1: the key "404" is not text; put it in quotes'),
    "boolean as key": ("true: x\n", 'f:1:1: the key "true" is not text; put it in quotes'),
    "list as key": ("? [a]\n: b\n", "f:1:3: a key must be text"),
    "old version": ("%YAML 1.1\n---\na: 1\n", "f:2:1: another version of YAML"),
    "unknown alias": ("a: *b\n", "f:1:4: the alias *b has no anchor before it"),
    "alias to itself": ("a: &a [*a]\n", "f:1:8: the alias *a has no anchor before it"),
    "tab": ("a:\n\tb: 1\n", "f:2:1: not valid YAML"),
    "open bracket": ("a: [1, 2\n", "f:2:1: not valid YAML"),
    "control character": ("a: b\n\x07\n", "f:2:1: a character that YAML does not allow"),
    "too deep": ("[" * 60 + "]" * 60, "f:1:42: nested more than 40 levels deep"),
    "billion laughs": (
        "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"{n}: &{n} [{','.join(['*' + p] * 10)}]\n" for p, n in ["ab", "bc", "cd", "de", "ef", "fg"]),
        "f:5:",
    ),
}


def told(text: str) -> list[str]:
    """All problems of parsing a text."""
    try:
        _, problems = parse_yaml(text, "f")
    except ConfigError as error:
        return str(error).splitlines()
    return [problem.render("f") for problem in problems]


@pytest.mark.parametrize("name", REFUSED)
def test_what_strict_yaml_refuses(name: str) -> None:
    """Each surprise of YAML is a problem at its place."""
    text, expected = REFUSED[name]
    assert told(text)[0].startswith(expected)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *[
            (text, "str")
            for text in ("no", "yes", "on", "off", "1:30", "017", "1_000", ".inf", ".nan", "2026-05-01", "+")
        ],
        *[(text, "int") for text in ("0", "-1", "+12", "0x1F", "0o17")],
        *[(text, "float") for text in ("1e3", "1.", ".5", "-0.5", "6.02E+23")],
        *[(text, "bool") for text in ("true", "True", "FALSE")],
        *[(text, "null") for text in ("", "~", "null", "NULL")],
    ],
)
def test_what_unquoted_text_means(text: str, kind: str) -> None:
    """The YAML 1.2 core schema, without infinities and without numbers that have two readings."""
    assert core_kind(text) == kind


def test_anchors_repeat_a_value() -> None:
    """A plain alias works, and its value stands where the anchor does."""
    root, problems = parse_yaml("a: &x {k: v}\nb: *x\n", "f")
    assert isinstance(root, Mapping)
    assert (root.entries["b"].value, problems) == (root.entries["a"].value, [])


def test_quoted_text_is_text() -> None:
    """Quotes end all questions of type."""
    root, _ = parse_yaml("a: 'no'\nb: \"5\"\n", "f")
    assert isinstance(root, Mapping)
    values = [entry.value for entry in root.entries.values()]
    assert [(value.text, value.kind) for value in values if isinstance(value, Scalar)] == [
        ("no", "str"),
        ("5", "str"),
    ]


KEYS = st.sampled_from(
    ["version", "server", "listen", "providers", "routes", "policy", "fallback", "weighted", "use", "weight",
     "static", "keys", "name", "secret", "budget", "usd", "window", "when", "if", "else", "set", "kind",
     "a/b"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(["sim/echo", "simulator", "openai", "${X}", "${", "${Y:-z}", "32MB", "http://["]),
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


class Plain:
    """A box that does not seal."""

    def seal(self, plain: bytes) -> bytes:
        """The same bytes."""
        return plain

    def unseal(self, sealed: bytes) -> bytes:
        """The same bytes."""
        return sealed


def loads_or_explains(text: str) -> None:
    """Load a text: it gives problems that can be shown, or a document that a snapshot brings back."""
    try:
        document = load_text(text, {"X": "1"}, needs=())
    except ConfigError as error:
        assert str(error).encode()  # noqa: PT017 - an error is one of two right outcomes
        return
    snapshot = make_snapshot(msgspec.structs.replace(document, keys=()), {}, 0)
    assert decode(encode(snapshot, Plain()), Plain()) == snapshot


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_arbitrary_text_loads_or_is_a_config_error(text: str) -> None:
    """No text whatever gets a traceback out of the loader."""
    loads_or_explains(text)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,? \n\t\\0123456789.${}~<=", max_size=120))
@settings(max_examples=500, deadline=None)
def test_yaml_like_text_loads_or_is_a_config_error(text: str) -> None:
    """The same for text made of YAML's own signs."""
    loads_or_explains(text)


@pytest.mark.parametrize(
    "value",
    [
        "99999999999999999999",
        "-99999999999999999999",
        "0x" + "f" * 30,
        "1e999",
        '"\\ud800"',
        "18446744073709551615",
    ],
)
def test_values_that_no_snapshot_holds_are_refused(value: str) -> None:
    """A number beyond 64 bits, an infinity and half a character are found when the file is read."""
    with pytest.raises(ConfigError, match=r"out of range|half of a character"):
        load_text(f"deployments: {{d: {{provider: p, model: m, set: {{s: {value}}}}}}}", {}, needs=())


def test_a_target_longer_than_any_name_is_refused() -> None:
    """So that what loads also fits a snapshot."""
    with pytest.raises(ConfigError, match="longer than 256"):
        load_text(f"providers: {{p: {{kind: simulator}}}}\nroutes: {{r: {{policy: p/{'x' * 300}}}}}", {})


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_documents_of_any_shape_load_or_are_a_config_error(tree: object) -> None:
    """The same for well-formed documents with known keys in wrong places."""
    loads_or_explains(json.dumps(tree))
