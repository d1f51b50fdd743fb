"""The top level of a JSON object, found without building its values, and patched without touching the rest.

What is authorised must be what is sent: a body in which a key stands twice, or in which `Model` stands beside
the `model` that was checked, could mean one thing here and another upstream. Both are refused. Everything else
is forwarded as received; owned fields are replaced by their offsets, never by a text search.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_decode: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_key: Final = msgspec.json.Decoder(str).decode
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_SPACE: Final = 0x20
_OPEN: Final = 0x7B
_CLOSE: Final = 0x7D
_COMMA: Final = 0x2C
_COLON: Final = 0x3A
_KNOWN: Final = 1024
_LONGEST_KNOWN: Final = 64

# Clients send the same few keys: each is put between quotes once. Bounded in entries and bytes.
_known: Final[dict[str, bytes]] = {}


class FieldsError(ValueError):
    """The text is not one JSON object with distinct keys; `code` is low-cardinality."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Fields:
    """A JSON object's members by key, as raw text, with the offsets of each value in `body`."""

    __slots__ = ("body", "close_at", "raw", "spans")

    def __init__(
        self, body: bytes, raw: dict[str, bytes], spans: dict[str, tuple[int, int, int]], close_at: int
    ) -> None:
        self.body = body
        self.raw = raw
        self.spans = spans
        self.close_at = close_at

    def patch(self, edits: dict[str, bytes]) -> bytes:
        """The body with each named member replaced or added; `edits` holds JSON text."""
        pieces: list[bytes] = []
        body, spans = self.body, self.spans
        at = 0
        changes = [(spans[key], text) for key, text in edits.items() if key in spans]
        if len(changes) > 1:
            changes.sort(key=_by_start)
        for span, text in changes:
            pieces.append(body[at : span[1]])
            pieces.append(text)
            at = span[2]
        if len(changes) < len(edits):
            pieces.append(body[at : self.close_at])
            lead = b"," if spans else b""
            for key, text in edits.items():
                if key not in spans:
                    pieces += (lead, b'"', key.encode(), b'":', text)
                    lead = b","
            at = self.close_at
        pieces.append(body[at:])
        return b"".join(pieces)

    def without(self, key: str) -> bytes:
        """The body with one member cut out, its comma along with it."""
        order = list(self.spans)
        at = order.index(key)
        if at > 0:
            return self.body[: self.spans[order[at - 1]][2]] + self.body[self.spans[key][2] :]
        end = self.spans[order[1]][0] if len(order) > 1 else self.spans[key][2]
        return self.body[: self.spans[key][0]] + self.body[end:]


def _by_start(change: tuple[tuple[int, int, int], bytes]) -> int:
    return change[0][1]


def scan(body: bytes, owned: dict[str, str] | None = None) -> Fields:
    """Find the members of the object that `body` is.

    `owned` maps the case-folded form of each owned key to the key itself; another spelling is refused.
    Raises FieldsError: `invalid_json`, `not_an_object`, `duplicate_key`, `case_variant_key`.
    """
    try:
        members = _decode(body)
    except msgspec.ValidationError as error:
        raise FieldsError("not_an_object", "the body must be one JSON object") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FieldsError("invalid_json", f"the body is not valid JSON: {error}") from error
    raw: dict[str, bytes] = {}
    spans: dict[str, tuple[int, int, int]] = {}
    at = 0
    before = _OPEN
    for key, value in members.items():
        text = bytes(value)
        # The decoder kept the last of two equal keys. Where each member stands in the text with the very value
        # that was kept, and the last one is followed by the closing brace, no key stands twice.
        at = _past_space(body, at)
        if body[at] != before:
            raise _duplicate(key)
        before = _COMMA
        name = _past_space(body, at + 1)
        start = _past_space(body, _past_space(body, _end_of_key(body, name, key)) + 1)
        if not body.startswith(text, start):
            raise _duplicate(key)
        if owned is not None and key not in owned:
            right = owned.get(key.casefold())
            if right is not None and right != key:
                raise FieldsError("case_variant_key", f"the key {key!r} must be written {right!r}")
        raw[key] = text
        at = start + len(text)
        spans[key] = (name, start, at)
    if not members:
        at = _past_space(body, 0) + 1
    if body[_past_space(body, at)] != _CLOSE:
        raise _duplicate(next(reversed(members), ""))
    return Fields(body, raw, spans, at)


def _past_space(body: bytes, at: int) -> int:
    """The next place that is no white space (RFC 8259, section 2), which are the characters up to the blank.

    There is one: the text is whole JSON, in which other control characters do not stand between values.
    """
    while body[at] <= _SPACE:
        at += 1
    return at


def _end_of_key(body: bytes, at: int, key: str) -> int:
    """Behind the string that stands there and says `key`. Raises FieldsError where it says something else."""
    literal = _known.get(key)
    if literal is None:
        literal = b'"%b"' % key.encode()
        if len(_known) < _KNOWN and len(literal) <= _LONGEST_KNOWN:
            _known[key] = literal
    if body.startswith(literal, at):
        return at + len(literal)
    found = _STRING.match(body, at)  # it may have been written with escapes
    if found is None or b"\\" not in found[0] or _decode_key(found[0]) != key:
        raise _duplicate(key)
    return found.end()


def _duplicate(near: str) -> FieldsError:
    # The members that the decoder kept do not add up to the text: some key stands there twice.
    return FieldsError("duplicate_key", f"a key stands twice in one JSON object (near {near!r}); send it once")
