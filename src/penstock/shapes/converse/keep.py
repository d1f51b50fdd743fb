"""How this shape remembers what the pivot cannot say: named groups in a part's extras.

A block is `{"toolUse": {…}}`: members beside the block's name are kept in the group `beside`, members inside it
in `inside`, and the forms that the pivot does not tell apart in groups of their own.
"""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.parts import Extras
from penstock.shapes.converse import SHAPE
from penstock.shapes.taker import Taker

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def keep(**groups: Any) -> Extras | None:
    """The groups that are not empty; None where nothing is to be remembered."""
    fields = {name: value for name, value in groups.items() if value is not None and value != {}}
    return Extras(SHAPE, fields) if fields else None


def is_own(extras: Extras | None) -> bool:
    """Whether this was said in this shape."""
    return extras is not None and extras.shape == SHAPE


def kept(extras: Extras | None, group: str) -> Any:
    """What was remembered under this name; None where nothing was, or by another shape."""
    return extras.fields.get(group) if extras is not None and extras.shape == SHAPE else None


def kept_object(extras: Extras | None, group: str) -> dict[str, Any]:
    """A fresh object with the members that were remembered under this name."""
    found = kept(extras, group)
    return dict(cast("dict[str, Any]", found)) if isinstance(found, dict) else {}


def block(extras: Extras | None, name: str, value: Any) -> dict[str, Any]:
    """A block, with what stood beside it."""
    if extras is None:
        return {name: value}
    return {**kept_object(extras, "beside"), name: value}


def filled(value: Taker, name: str) -> str:
    """A string member; one that is empty stays in place, so that it is not taken for absent."""
    text = value.text(name)
    if text == "":
        value.rest[name] = text
    return text or ""


def json_text(value: Any) -> str:
    """A JSON value as text."""
    try:
        return _encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value)
    except (RecursionError, TypeError, ValueError) as error:
        raise ShapeError("", "JSON of moderate depth") from error


def json_value(text: str) -> Any:
    """The value of a JSON text. Raises ValueError where it is none."""
    try:
        return _decode(text)
    except (RecursionError, UnicodeEncodeError) as error:
        raise ValueError("not JSON") from error


def object_of(text: str) -> dict[str, Any] | None:
    """The object that a JSON text says, None where it says something else."""
    try:
        value = json_value(text)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def join_pieces(items: Any) -> tuple[str, list[int]] | None:
    """The text of a list of `{"text": …}` and the sizes of its pieces; None where it holds anything else."""
    if not isinstance(items, list):
        return None
    texts: list[str] = []
    for item in cast("list[Any]", items):
        if not isinstance(item, dict) or len(cast("dict[str, Any]", item)) != 1:
            return None
        text = cast("dict[str, Any]", item).get("text")
        if not isinstance(text, str):
            return None
        texts.append(text)
    return "".join(texts), [len(text) for text in texts]


def cut_pieces(text: str, sizes: Any) -> list[dict[str, Any]]:
    """A text as the pieces that it came in; as one where its length is another now."""
    if isinstance(sizes, list) and sum(cast("list[int]", sizes)) == len(text):
        pieces: list[dict[str, Any]] = []
        at = 0
        for size in cast("list[int]", sizes):
            pieces.append({"text": text[at : at + size]})
            at += size
        return pieces
    return [{"text": text}]


def sizes_to_keep(sizes: list[int]) -> list[int] | None:
    """Sizes that are worth remembering: one piece is what `cut_pieces` makes anyway."""
    return sizes if len(sizes) != 1 else None
