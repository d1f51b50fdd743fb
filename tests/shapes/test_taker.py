"""The one way in which decoders read foreign JSON."""

import pytest

from penstock.core.errors import ShapeError
from penstock.core.parts import Extras
from penstock.shapes.taker import Taker, extras_of, put


def test_what_nobody_took_is_left() -> None:
    """Known fields are taken out; unknown ones, nulls included, are the extras."""
    taker = Taker({"a": "x", "b": None, "c": 1, "d": True, "new": {"y": 1}})
    assert (taker.text("a"), taker.text("b"), taker.count("c"), taker.flag("d")) == ("x", None, 1, True)
    assert taker.extras("s") == Extras("s", {"b": None, "new": {"y": 1}})


def test_a_wrong_type_in_a_request_names_its_path() -> None:
    """A client learns which field to mend."""
    (inner,) = Taker({"messages": [{"role": 3}]}, strict=True).objects("messages") or []
    with pytest.raises(ShapeError, match=r"messages\[0\]\.role must be a string"):
        inner.text("role")


def test_a_wrong_type_in_a_reply_is_left_where_it_is() -> None:
    """A reply that a client could use does not fail over a field that we would have liked to read."""
    taker = Taker({"n": True, "t": 5, "l": [1, {}]})
    assert taker.count("n") is None
    assert taker.text("t") is None
    assert taker.objects("l") is None
    assert taker.rest == {"n": True, "t": 5, "l": [1, {}]}


def test_extras_come_back_to_their_own_shape_only() -> None:
    """A foreign shape's fields never reach another shape's output."""
    extras = Extras("a", {"x": 1})
    assert extras_of(extras, "a") == {"x": 1}
    assert extras_of(extras, "b") == {}
    assert put({}, x=None, y=0) == {"y": 0}
