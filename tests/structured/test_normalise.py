"""Values come into the form that a schema asks for where they have one meaning, and stay where not."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.core.dates import date_of, moment_of
from penstock.core.normalise import Change, Normaliser, Schema

ALIASES = {"country": {"Deutschland": "DE"}, "*": {"n.a.": "unknown"}}


def valid(value: Any, schema: Schema) -> bool:
    """Whether the value obeys the schema."""
    return jsonschema_rs.validator_for(schema, validate_formats=True).is_valid(value)


def normal(value: Any, schema: Schema) -> tuple[Any, list[tuple[str, str]]]:
    """The value in the schema's form, and what was changed where."""
    made = Normaliser(schema, ALIASES, valid)
    out = made.value(value)
    return out, [(change.path, change.kind) for change in made.changes]


@pytest.mark.parametrize(
    ("schema", "given", "wanted", "kind"),
    [
        ({"enum": ["in_progress", "done"]}, "In Progress", "in_progress", "case"),
        ({"enum": ["inProgress", "done"]}, "in-progress ", "inProgress", "case"),
        ({"enum": ["ﬁve", "six"]}, "five", "ﬁve", "case"),
        ({"enum": ["unknown", "known"]}, "N.A.", "unknown", "alias"),
        ({"enum": [1, 2, 3]}, "2", 2, "number"),
        ({"enum": ["1", "2"]}, 2, "2", "text"),
        ({"enum": ["a", None]}, "none", None, "null"),
        ({"const": "yes"}, "YES", "yes", "case"),
        ({"type": "number"}, "1,234.5", 1234.5, "number"),
        ({"type": "number"}, " 12 ", 12, "number"),
        ({"type": "integer"}, "1 234 567", 1234567, "number"),
        ({"type": "integer"}, "3.0", 3, "number"),
        ({"type": "integer"}, "1e3", 1000, "number"),
        ({"type": "boolean"}, "Yes", True, "boolean"),
        ({"type": "boolean"}, "FALSE", False, "boolean"),
        ({"type": "string"}, 12, "12", "text"),
        ({"type": "string"}, 2.0, "2", "text"),
        ({"type": ["integer", "null"]}, "N/A", None, "null"),
        ({"type": "string", "format": "date"}, "March 5, 2026", "2026-03-05", "date"),
        ({"type": "string", "format": "date-time"}, "2026-03-05 10:00 UTC", "2026-03-05T10:00:00Z", "date"),
        ({"type": "array", "items": {"type": "string"}}, "one", ["one"], "list"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "7", 7, "number"),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}, "7", 7, "number"),
    ],
)
def test_one_meaning_is_written_as_the_schema_wants(schema: Schema, given: Any, wanted: Any, kind: str) -> None:
    """What results obeys the schema, and the change is told."""
    out, changes = normal(given, schema)
    assert (out, type(out)) == (wanted, type(wanted))
    assert kind in [found for _, found in changes]
    assert valid(out, schema)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"enum": ["a-b", "a_b"]}, "a b"),
        ({"enum": ["red", "green"]}, "reddish"),
        ({"type": "integer"}, "3.5"),
        ({"type": "integer"}, 3.5),
        ({"type": "number"}, "12 apples"),
        ({"type": "number"}, "1,23"),
        ({"type": "number"}, "nan"),
        ({"type": "number"}, "0x10"),
        ({"type": "number"}, True),
        ({"type": "boolean"}, "maybe"),
        ({"type": "boolean"}, 1),
        ({"type": "string"}, True),
        ({"type": "string"}, "12"),
        ({"type": ["string", "integer"]}, "12"),
        ({"type": ["string", "null"]}, "none"),
        ({"type": "string", "format": "date"}, "03/05/2026"),
        ({"type": "string", "format": "date"}, "2026-02-30"),
        ({"type": "string", "format": "date-time"}, "2026-03-05 10:00"),
        ({"type": "array"}, None),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "12"),
        ({"$ref": "#/$defs/loop", "$defs": {"loop": {"$ref": "#/$defs/loop"}}}, "12"),
        ({"$ref": "https://example.com/x"}, "12"),
        ({}, "12"),
        (True, "12"),
    ],
)
def test_what_may_mean_something_else_stays(schema: Any, value: Any) -> None:
    """The model is asked again instead."""
    assert normal(value, schema) == (value, [])


def test_objects_are_walked_and_their_keys_too() -> None:
    """Keys that differ in writing only, values inside of lists; the rest is left as it came."""
    schema: Schema = {
        "type": "object",
        "properties": {
            "firstName": {"type": "string"},
            "orders": {
                "type": "array",
                "items": {"properties": {"country": {"enum": ["DE", "FR"]}, "n": {"type": "integer"}}},
            },
        },
    }
    given = {"first_name": "Ann", "orders": [{"country": "deutschland", "n": "2"}, {"country": "FR"}], "x": "1"}
    out, changes = normal(given, schema)
    assert out == {"firstName": "Ann", "orders": [{"country": "DE", "n": 2}, {"country": "FR"}], "x": "1"}
    assert changes == [("firstName", "case"), ("orders[].country", "alias"), ("orders[].n", "number")]
    assert given["orders"][0] == {"country": "deutschland", "n": "2"}, "what was given is not touched"


def test_a_key_is_not_taken_for_one_that_is_there_or_of_which_there_are_two() -> None:
    """Nothing is overwritten."""
    schema: Schema = {"properties": {"userId": {"type": "integer"}}}
    for value in ({"user_id": 1, "userId": 2}, {"user_id": 1, "user-id": 2}):
        assert normal(value, schema) == (value, [])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(
        [
            {"type": "integer"},
            {"type": "array", "items": {"type": "number"}},
            {"enum": ["a", 1, None, "True"]},
            {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"enum": ["x"]}}]},
            {"properties": {"a": {"type": "boolean"}, "b": {"type": "string", "format": "date"}}},
        ]
    ),
)
def test_what_obeys_stays_and_twice_is_once(value: Any, schema: Schema) -> None:
    """A valid value is never changed, and a value in its form has nothing more to change."""
    out, changes = normal(value, schema)
    if valid(value, schema):
        assert (out, changes) == (value, [])
    again, more = normal(out, schema)
    assert (again, more) == (out, [])


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-05", "2026-03-05"),
        ("2026/3/5", "2026-03-05"),
        ("5.3.2026", "2026-03-05"),
        ("25/12/2026", "2026-12-25"),
        ("12/25/2026", "2026-12-25"),
        ("07/07/2026", "2026-07-07"),
        ("Thursday, 5th of March 2026", "2026-03-05"),
        ("5 Sept 2026", "2026-09-05"),
        ("Mar. 5 2026", "2026-03-05"),
        ("2026-03-05T10:00:00+01:00", "2026-03-05"),
        ("29 February 2025", None),
        ("Ma 5 2026", None),
        ("May", None),
        ("2026", None),
        ("x" * 100, None),
    ],
)
def test_days_as_they_are_written(text: str, day: str | None) -> None:
    """Every way in which a day has one meaning."""
    assert date_of(text) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-05T10:00:00Z", "2026-03-05T10:00:00Z"),
        ("2026-03-05 10:00:00.123456789 +0130", "2026-03-05T10:00:00.123456789+01:30"),
        ("2026-03-05 25:00 UTC", None),
        ("2026-03-05 10:00", None),
    ],
)
def test_moments_need_their_time_zone(text: str, moment: str | None) -> None:
    """Without one nobody knows when it is."""
    assert moment_of(text) == moment


def test_changes_are_plain_data() -> None:
    """They are counted by place and kind."""
    assert {Change("a", "case"), Change("a", "case")} == {Change("a", "case")}
