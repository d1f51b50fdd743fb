"""multipart/form-data (RFC 7578): find the parts by their offsets, replace the text of one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BOUNDARY = re.compile(rb"""boundary=(?:"([^"]{1,70})"|([^\s;,]{1,70}))""", re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:[^\r\n]*?[;\s]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE = re.compile(rb"content-disposition:[^\r\n]*?[;\s]filename", re.IGNORECASE)
MAX_PARTS = 256


class MultipartError(ValueError):
    """The body is not the form that its content type says."""


@dataclass(slots=True)
class Form:
    """A form as received; `spans` are the offsets of each text field's value."""

    body: bytes
    boundary: bytes
    spans: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    names: set[str] = field(default_factory=set[str])
    repeated: set[str] = field(default_factory=set[str])

    def text(self, name: str) -> str | None:
        """A text field's value, or None."""
        span = self.spans.get(name)
        return None if span is None else self.body[span[0] : span[1]].decode("utf-8", "replace")

    def with_text(self, name: str, value: str) -> bytes:
        """The body with one text field replaced, or added as the first part."""
        span = self.spans.get(name)
        if span is not None:
            return self.body[: span[0]] + value.encode() + self.body[span[1] :]
        part = b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (
            self.boundary,
            name.encode(),
            value.encode(),
        )
        return part + self.body


def parse_form(body: bytes, content_type: bytes) -> Form:
    """Find a form's fields. Raises MultipartError."""
    if not content_type.lower().startswith(b"multipart/form-data"):
        raise MultipartError("send the body as multipart/form-data")
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise MultipartError("the content type names no boundary")
    boundary: bytes = found[1] or found[2]
    mark = b"--" + boundary
    form = Form(body, boundary)
    at = 0 if body.startswith(mark) else body.find(b"\r\n" + mark) + 2
    if at == 1:
        raise MultipartError("the body does not contain its boundary")
    for _ in range(MAX_PARTS):
        at += len(mark)
        if body.startswith(b"--", at):
            return form
        head_end = body.find(b"\r\n\r\n", at)
        end = body.find(b"\r\n" + mark, at)
        if not body.startswith(b"\r\n", at) or end < 0 or head_end < 0 or head_end > end:
            raise MultipartError("a part of the form is cut off")
        _take(form, body[at:head_end], head_end + 4, end)
        at = end + 2
    raise MultipartError(f"the form has more than {MAX_PARTS} parts")


def _take(form: Form, head: bytes, start: int, end: int) -> None:
    named = _NAME.search(head)
    if named is None:
        raise MultipartError("a part of the form has no name")
    name = named[1].decode("utf-8", "replace")
    if name in form.names:
        form.repeated.add(name)
    form.names.add(name)
    if _FILE.search(head) is None:
        form.spans[name] = (start, max(start, end))
