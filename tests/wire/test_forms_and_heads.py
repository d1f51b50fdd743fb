"""multipart/form-data and the small pieces of HTTP heads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.http1 import chunk, header_safe, is_token, parse_retry_after, render_head, status_line
from penstock.wire.multipart import MultipartError, parse_form

TYPE = b'multipart/form-data; boundary="b 1"'


def form(*parts: tuple[str, bytes]) -> bytes:
    """A form as curl writes it."""
    return (
        b"".join(b"--b 1\r\n%b\r\n\r\n%b\r\n" % (head.encode(), body) for head, body in parts) + b"--b 1--\r\n"
    )


@given(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.binary(max_size=50),
)
def test_a_replaced_field_leaves_the_others_as_they_were(old: str, new: str, file: bytes) -> None:
    """Text fields are found by name, files are passed over, and only the replaced text changes."""
    head = 'Content-Disposition: form-data; name="%s"'
    body = form((head % "model", old.encode()), (head % "file" + '; filename="a"', file), (head % "n", b"1"))
    if b"--b 1" in file or "--b 1" in old or "--b 1" in new:
        return
    found = parse_form(body, TYPE)
    assert (found.text("model"), found.text("n"), found.text("file")) == (old, "1", None)
    changed = parse_form(found.with_text("model", new), TYPE)
    assert (changed.text("model"), changed.text("n")) == (new, "1")
    assert file in changed.body
    assert parse_form(found.with_text("extra", new), TYPE).text("extra") == new


def test_a_field_that_comes_twice_is_named() -> None:
    """What could be read as either is told to the caller."""
    head = 'Content-Disposition: form-data; name="model"'
    assert parse_form(form((head, b"a"), (head, b"b")), TYPE).repeated == {"model"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x", b"application/json"),
        (b"x", b"multipart/form-data"),
        (b"x", TYPE),
        (b'--b 1\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut', TYPE),
        (b"--b 1\r\nX: y\r\n\r\nv\r\n--b 1--", TYPE),
        (form(*[('Content-Disposition: form-data; name="a"', b"")] * 300), TYPE),
    ],
)
def test_a_broken_form_is_refused(body: bytes, kind: bytes) -> None:
    """Wrong type, no boundary, a cut or nameless part, too many parts."""
    with pytest.raises(MultipartError):
        parse_form(body, kind)


def test_heads_are_rendered_safely() -> None:
    """Status lines, chunks, tokens, and values that cannot end their line."""
    assert status_line(529) == b"HTTP/1.1 529 \r\n"
    assert render_head(200, [(b"a", b"b")]) == b"HTTP/1.1 200 OK\r\na: b\r\n\r\n"
    assert chunk(b"x" * 16) == b"10\r\n" + b"x" * 16 + b"\r\n"
    assert [is_token(name) for name in (b"x-a", b"", b"a b", b"a\xff")] == [True, False, False, False]
    assert header_safe("a\r\nb: c\x00é") == b"a??b: c??"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (b"", None),
        (b"2", 2.0),
        (b" 1.5 ", 1.5),
        (b"-3", 0.0),
        (b"soon", None),
        (b"Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        (b"nan", None),
        (b"inf", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: bytes | None, seconds: float | None) -> None:
    """Seconds or a date, never negative, never something that is no time."""
    assert parse_retry_after(value, 10.0) == seconds
