"""multipart/form-data (RFC 7578): find the parts by their offsets, replace the text of one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b

_BOUNDARY = re.compile(rb"""boundary=(?:"([^"]{1,70})"|([^\s;,]{1,70}))""", re.IGNORECASE)
_NAME = re.compile(rb'content-disposition:[^\r\n]*?[;\s]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE = re.compile(rb"content-disposition:[^\r\n]*?[;\s]filename", re.IGNORECASE)
_FILE_NAME = re.compile(rb'filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE_TYPE = re.compile(rb"content-type:[ \t]*([^\r\n]+)", re.IGNORECASE)
MAX_PARTS = 256


class MultipartError(ValueError):
    """The body is not the form that its content type says."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a form; name and type as its sender says."""

    name: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Form:
    """A form as received; `spans` are the offsets of each text field's value, `files` heads and offsets."""

    body: bytes
    boundary: bytes
    spans: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    names: set[str] = field(default_factory=set[str])
    repeated: set[str] = field(default_factory=set[str])
    files: dict[str, tuple[bytes, int, int]] = field(default_factory=dict[str, tuple[bytes, int, int]])
    several: dict[str, list[tuple[int, int]]] = field(default_factory=dict[str, list[tuple[int, int]]])

    def text(self, name: str) -> str | None:
        """A text field's value, or None."""
        span = self.spans.get(name)
        return None if span is None else self.body[span[0] : span[1]].decode("utf-8", "replace")

    def texts(self, name: str) -> list[str]:
        """All values of a text field that may stand several times."""
        spans = [*self.several.get(name, ()), *([self.spans[name]] if name in self.spans else ())]
        return [self.body[start:end].decode("utf-8", "replace") for start, end in spans]

    def file(self, name: str) -> FilePart | None:
        """A file, or None."""
        found = self.files.get(name)
        if found is None:
            return None
        head, start, end = found
        called, typed = _FILE_NAME.search(head), _FILE_TYPE.search(head)
        return FilePart(
            called[1].decode("utf-8", "replace") if called is not None else "",
            typed[1].decode("latin-1").strip() if typed is not None else "",
            self.body[start:end],
        )

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
    if _FILE.search(head) is not None:
        form.files[name] = (head, start, max(start, end))
        return
    if name in form.spans:
        form.several.setdefault(name, []).append(form.spans[name])
    form.spans[name] = (start, max(start, end))


def write_form(fields: dict[str, str], name: str, file: FilePart) -> tuple[bytes, str]:
    """A form with one file, and its content type. The boundary is made of all that stands in it."""
    digest = blake2b(file.data, digest_size=24)
    for text in (file.name, file.content_type, *fields, *fields.values()):
        digest.update(text.encode())
    boundary = b"penstock" + digest.hexdigest().encode()
    parts = [
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
        % (boundary, _quoted(field), value.encode())
        for field, value in fields.items()
    ]
    head = b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: %b\r\n\r\n' % (
        boundary,
        _quoted(name),
        _quoted(file.name),
        re.sub(r"[^\x20-\x7e]", "", file.content_type).encode(),
    )
    body = b"".join((*parts, head, file.data, b"\r\n--%b--\r\n" % boundary))
    return body, f"multipart/form-data; boundary={boundary.decode()}"


def _quoted(text: str) -> bytes:
    return text.replace("\\", "_").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()
