"""Function calls and their responses, which Google names by function rather than by id."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.parts import Part, Signature, Text, ToolCall, ToolResult
from penstock.core.turns import made_id
from penstock.shapes.gemini.media import Media, read_media, write_media
from penstock.shapes.gemini.reader import Reader, closed, opened, own, own_fields
from penstock.shapes.gemini.seals import FOREIGN_CALL
from penstock.shapes.taker import put

_json = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
# "output" and "error" are the documented keys of a response; SDKs that call functions write "result".
# https://ai.google.dev/api/caching#FunctionResponse
_OUTPUT_KEYS = ("output", "result")


class CallIds:
    """Gives ids to calls that have none, and to each response the call that it answers."""

    __slots__ = ("_made", "_open", "_seed")

    def __init__(self, *seed: object) -> None:
        self._seed = seed
        self._made = 0
        self._open: dict[str, OrderedDict[str, None]] = {}

    def made(self, name: str, arguments: str = "") -> str:
        """An id for the next call without one."""
        self._made += 1
        return made_id("call_", *self._seed, self._made, name, arguments)

    def called(self, call_id: str, name: str) -> None:
        """A call that waits for its response."""
        self._open.setdefault(name, OrderedDict())[call_id] = None

    def answered(self, call_id: str | None, name: str) -> str:
        """The id of the call that a response answers: its own, or that of the oldest open call of its name."""
        waiting = self._open.get(name)
        if call_id is not None:
            if waiting is not None:
                waiting.pop(call_id, None)
            return call_id
        return waiting.popitem(last=False)[0] if waiting else self.made(name)


def text_of_json(value: Any, where: str) -> str:
    """A JSON value as text. Raises ShapeError where it nests too deep."""
    try:
        return _json(value).decode()
    except RecursionError:
        raise ShapeError(where, "less deeply nested") from None


def read_call(call: Reader, ids: CallIds, signature: Signature | None, rest: Reader) -> ToolCall:
    """The part for a `functionCall`."""
    name = call.filled("name")
    call_id = call.text("id")
    args = call.value("args")
    arguments = text_of_json(args, call.path("args")) if args is not None else ""
    if call_id is None:
        call_id = ids.made(name, arguments)
        rest.note("made", call_id)
    ids.called(call_id, name)
    left = call.left()
    if left:
        rest.note("call", left)
    if signature is not None and signature.value == FOREIGN_CALL:
        rest.note("foreign", value=True)
        signature = None
    return ToolCall(call_id, name, arguments, signature=signature, extras=rest.mark())


def write_call(part: ToolCall, seal: str | None) -> dict[str, Any]:
    """The part's JSON; `seal` is its `thoughtSignature`."""
    out, notes = opened(own_fields(part.extras))
    put(out, thoughtSignature=seal or (FOREIGN_CALL if "~foreign" in notes else None))
    left, spelling = opened(notes.get("~call", {}))
    put(left, id=part.id if part.id and part.id != notes.get("~made") else None)
    if part.name or not own(part.extras):
        left["name"] = part.name
    if part.arguments:
        left["args"] = arguments_of(part)
    elif not own(part.extras):
        left["args"] = {}
    out["functionCall"] = closed(left, spelling)
    return closed(out, notes)


def arguments_of(part: ToolCall) -> dict[str, Any]:
    """The arguments as the object that Google wants; free text of a custom tool stands under `input`."""
    if part.type == "custom":
        return {"input": part.arguments}
    try:
        value = _decode(part.arguments)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {"input": part.arguments}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"input": value}


def read_result(response: Reader, ids: CallIds, signature: Signature | None, rest: Reader) -> ToolResult:
    """The part for a `functionResponse`."""
    name = response.filled("name")
    given = response.text("id")
    call_id = ids.answered(given, name)
    if given is None:
        rest.note("made", call_id)
    media = _read_media(response)
    value = response.value("response")
    content: tuple[Part, ...] = ()
    is_error: bool | None = None
    if value is None:
        rest.note("as", "none")
    else:
        kept, content, is_error, form = _read_value(value)
        rest.note("as", form)
        if media and kept is not None:
            content = (Text(text_of_json(kept, response.path("response"))),) if kept != {} else ()
            rest.note("as", form + "+")
            kept = None
        value = kept
    left = response.left()
    if left:
        rest.note("response", left)
    return ToolResult(
        call_id, name, content + media, value, is_error, signature=signature, extras=rest.extras()
    )


def _read_value(value: dict[str, Any]) -> tuple[Any, tuple[Part, ...], bool | None, str]:
    """The value, or the text that it is; whether it is an error; the key under which it stood."""
    if len(value) == 1:
        (key, inner), *_ = value.items()
        if key in _OUTPUT_KEYS and inner is not None:
            return (None, (Text(inner),), None, key) if isinstance(inner, str) else (inner, (), None, key)
        if key == "error" and isinstance(inner, str):
            return None, (Text(inner),), True, key
    return value, (), None, ""


def _read_media(response: Reader) -> tuple[Part, ...]:
    """The media in `parts`; the field stays where it is unless all of it can be read."""
    before = response.rest.get("parts")
    readers = response.many("parts") if before else None
    if readers is None:
        return ()
    found: list[Part] = []
    for reader in readers:
        linked = "fileData" in reader.rest
        data = reader.object("fileData" if linked else "inlineData")
        part = read_media(data, linked=linked, signature=None, rest=reader) if data is not None else None
        if part is None:
            response.rest["parts"] = before
            return ()
        found.append(part)
    return tuple(found)


def write_result(
    part: ToolResult, name: str, seal: str | None, *, inside: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The part's JSON, and the media of the result that go beside it, as parts, where not `inside`."""
    out, notes = opened(own_fields(part.extras))
    put(out, thoughtSignature=seal)
    left, spelling = opened(notes.get("~response", {}))
    put(left, id=part.call_id if part.call_id and part.call_id != notes.get("~made") else None)
    put(left, name=part.name or (None if own(part.extras) else name))
    written = [write_media(each, None) for each in part.content if isinstance(each, Media)]
    media = [each for each in written if each is not None]
    form: str | None = notes.get("~as")
    if form != "none" or part.content or part.value is not None:
        left["response"] = _response(part, form, media=bool(media))
    if media and inside:
        left["parts"] = media
    out["functionResponse"] = closed(left, spelling)
    return closed(out, notes), [] if inside else media


def _response(part: ToolResult, form: str | None, *, media: bool) -> dict[str, Any]:
    given: Any = part.value
    texts = [each.text for each in part.content if isinstance(each, Text)]
    if form is not None and form.endswith("+"):
        nothing: dict[str, Any] = {}
        value = _decoded(texts[0]) if len(texts) == 1 else None if texts else nothing
        if form != "+":
            return {form[:-1]: value if value is not None else "\n".join(texts)}
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
    elif form is not None and form in _OUTPUT_KEYS and part.is_error is not True:
        return {form: "".join(texts) if given is None else given}
    elif isinstance(given, dict) and part.is_error is not True and form in (None, ""):
        return cast("dict[str, Any]", given)
    key = "error" if part.is_error else "output"
    if given is not None:
        return {key: given}
    text = "\n".join(texts)
    return {} if media and not text else {key: text}


def _decoded(text: str) -> Any:
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
