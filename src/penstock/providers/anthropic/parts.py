"""Another dialect's parts as ones that the vendor takes; what cannot be said is noted as lost."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.parts import (
    Audio,
    Document,
    Extras,
    FileRef,
    Image,
    Inline,
    Link,
    Opaque,
    Part,
    Plain,
    Refused,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Video,
)
from penstock.ports.translation import Addressee
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.anthropic.blocks import FORM
from penstock.shapes.anthropic.citations import may_be_sent

_TEXTUAL = frozenset({"application/json", "application/xml", "application/yaml", "application/javascript"})


def fit_parts(message: Message, to: Addressee) -> tuple[Part, ...]:
    """The message's parts, in its role."""
    if message.role in ("system", "developer"):
        return tuple([part for part in _fit(message.parts, to) if isinstance(part, Text)])
    return _fit(message.parts, to)


def _fit(parts: tuple[Part, ...], to: Addressee) -> tuple[Part, ...]:
    out: list[Part] = []
    for part in parts:
        fitted = _FITS[type(part)](part, to)
        if fitted is not None:
            out.append(fitted)
    return tuple(out)


def _text(part: Text, _: Addressee) -> Part | None:
    """Text; the vendor refuses blocks of white space alone."""
    if not part.text.strip():
        return None
    return replace(part, citations=tuple([each for each in part.citations if may_be_sent(each)]), extras=None)


def _refused(part: Refused, _: Addressee) -> Part | None:
    return Text(part.text) if part.text.strip() else None


def _image(part: Image, to: Addressee) -> Part | None:
    return replace(part, extras=None) if _reachable(part.source, "image", to) else None


def _audio(part: Audio, to: Addressee) -> Part | None:
    if part.transcript.strip() and to.losses.map("audio"):
        return Text(part.transcript)
    if not part.transcript.strip() and (part.source is not None or part.id):
        to.losses.drop("audio")
    return None


def _video(_: Video, to: Addressee) -> Part | None:
    to.losses.drop("video")
    return None


def _document(part: Document, to: Addressee) -> Part | None:
    source = part.source
    if isinstance(source, Inline) and source.media_type != "application/pdf":
        text = _text_in(source)
        if text is None:
            to.losses.drop("document")
            return None
        source = Plain(text)
    if not _reachable(source, "document", to):
        return None
    return replace(part, source=source, extras=None)


def _text_in(source: Inline) -> str | None:
    kind = source.media_type.partition(";")[0].strip()
    if not kind.startswith("text/") and kind not in _TEXTUAL:
        return None
    try:
        return base64.b64decode(source.data).decode()
    except (binascii.Error, ValueError):
        return None


def _reachable(source: Source, feature: str, to: Addressee) -> bool:
    """Whether the vendor can get at the bytes."""
    lost = ""
    if feature in to.profile.lacks:
        lost = feature
    elif isinstance(source, FileRef):
        lost = f"{feature}.file"
    elif isinstance(source, Link) and (
        f"{feature}.link" in to.profile.lacks or not source.url.startswith(("https://", "http://"))
    ):
        lost = f"{feature}.link"
    if lost:
        to.losses.drop(lost)
    return not lost


def _call(part: ToolCall, _: Addressee) -> Part | None:
    return replace(part, extras=None, signature=None)


def _result(part: ToolResult, to: Addressee) -> Part | None:
    content = tuple([each for each in _fit(part.content, to) if isinstance(each, Text | Image | Document)])
    form = Extras(SHAPE, {FORM: "text"}) if len(content) == 1 else None
    return replace(part, content=content, is_error=part.is_error or None, extras=form)


def _thinking(part: Thinking, _: Addressee) -> Part | None:
    """Only what the vendor itself sealed may come back to it."""
    if part.sealed is not None and part.sealed.signer == SHAPE:
        return Thinking(sealed=part.sealed)
    if part.signature is not None and part.signature.signer == SHAPE:
        return Thinking(part.text, part.signature)
    return None


def _opaque(part: Opaque, to: Addressee) -> Part | None:
    if part.shape == SHAPE:
        return part
    to.losses.drop("opaque")
    return None


_FITS: dict[type, Callable[[Any, Addressee], Part | None]] = {
    Text: _text,
    Image: _image,
    Audio: _audio,
    Video: _video,
    Document: _document,
    ToolCall: _call,
    ToolResult: _result,
    Thinking: _thinking,
    Refused: _refused,
    Opaque: _opaque,
}
