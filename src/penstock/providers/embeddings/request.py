"""Encode an embeddings request for a vendor of OpenAI's shape."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.embedding import EmbedInput, EmbedRequest
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.parts import Image, Opaque, Text
from penstock.ports.translation import Addressee
from penstock.providers.embeddings.flavours import Flavour
from penstock.shapes.embeddings import SHAPE
from penstock.shapes.embeddings.inputs import FORM, OBJECT, address_of
from penstock.shapes.embeddings.settings import GROUPS, WRITTEN, unchanged
from penstock.shapes.taker import extras_of, put


def encode_request(request: EmbedRequest, to: Addressee, flavour: Flavour) -> dict[str, Any]:
    """The request's body."""
    out = extras_of(request.extras, flavour.shape)
    form = out.pop(FORM, "list")
    written = cast("dict[str, Any]", out.pop(WRITTEN, {}))
    titled = "title" not in out
    inputs = [_input(each, to.losses, flavour, titled=titled) for each in request.inputs]
    out["model"] = to.model
    out["input"] = inputs[0] if form != "list" and len(inputs) == 1 else inputs
    kept = unchanged(request, written) if written else set[str]()
    for group in kept:
        put(out, **{name: _json(written.get(name)) for name in GROUPS[group]})
    _settings(request, to.losses, flavour, kept, out)
    if flavour.user:
        put(out, user=request.user)
    if flavour.metadata:
        put(out, metadata=request.metadata)
    return out


def _json(value: Any) -> Any:
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value


def _settings(
    request: EmbedRequest, losses: Losses, flavour: Flavour, kept: set[str], out: dict[str, Any]
) -> None:
    if request.dimensions is not None and "dimensions" not in kept:
        if flavour.dimensions:
            out[flavour.dimensions] = request.dimensions
        else:
            losses.drop("dimensions")
    if request.forms and "forms" not in kept:
        _forms(request, losses, flavour, out)
    if request.task is not None and "task" not in kept:
        word = flavour.tasks.get(request.task)
        if word is not None:
            out[flavour.task] = word
        else:
            losses.drop("task")
    if request.truncate is not None and "truncate" not in kept:
        if not flavour.truncate:
            losses.drop("truncate")
        elif request.truncate != "start" or losses.map("truncate"):
            out[flavour.truncate] = request.truncate != "none"


def _forms(request: EmbedRequest, losses: Losses, flavour: Flavour, out: dict[str, Any]) -> None:
    wanted = request.forms[0]
    if len(request.forms) > 1:
        losses.drop("forms")
    number = wanted.number
    if flavour.words:
        if number not in flavour.words and losses.map("forms"):
            number = next(iter(flavour.words))
        put(out, **{flavour.packing: flavour.words.get(number)})
        return
    if number not in flavour.numbers:
        losses.drop("forms")
        number = "float"
    if flavour.number == flavour.packing:
        # One field for both: packed numbers of another type come as a list, which the client's dialect packs.
        out[flavour.packing] = "base64" if wanted.packed and number == "float" else number
        return
    if number != "float":
        out[flavour.number] = number
    if wanted.packed:
        out[flavour.packing] = "base64"
    elif flavour.says_list:
        out[flavour.packing] = "float"


def _input(each: EmbedInput, losses: Losses, flavour: Flavour, *, titled: bool) -> Any:
    """One input as text, tokens or an object; UnsupportedError where nothing of it can be said.

    A title stands before the text, if `titled`.
    """
    if each.tokens is not None:
        if not flavour.tokens:
            raise UnsupportedError("input.tokens")
        return list(each.tokens)
    if len(each.parts) == 1:
        part = each.parts[0]
        if isinstance(part, Opaque) and part.shape == flavour.shape == SHAPE:
            return part.value
        if isinstance(part, Image) and (flavour.images or flavour.shape == SHAPE):
            address = address_of(part.source)
            if address is not None:
                return _object(each, flavour.shape, "image", address)
        if isinstance(part, Text) and each.extras is not None and each.extras.shape == flavour.shape:
            return _object(each, flavour.shape, "text", part.text)
    texts = [part.text for part in each.parts if isinstance(part, Text)]
    if not texts:
        raise UnsupportedError("image" if any(isinstance(part, Image) for part in each.parts) else "input")
    if len(texts) < len(each.parts):
        losses.drop("image")
    return "\n".join([each.title, *texts]) if each.title and titled else "\n".join(texts)


def _object(each: EmbedInput, shape: str, name: str, value: str) -> dict[str, Any]:
    own = extras_of(each.extras, shape)
    own.pop(OBJECT, None)
    return {**own, name: value}
