"""What routing asks of a conversation in any dialect's own JSON: its last prompt, stable front and images.

Only what is asked for is decoded, and nothing is judged: what cannot be read counts as not there, since the
upstream will say what is wrong with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from penstock.shapes.openai_request import OpenAIRequest

_TURNS = {
    "openai.chat": "messages",
    "openai.responses": "input",
    "openai.completions": "prompt",
    "anthropic": "messages",
    "gemini": "contents",
    "converse": "messages",
    "openai.embeddings": "input",
    "openai.images": "prompt",
    "openai.audio": "input",
    "openai.videos": "prompt",
    "rerank": "query",
    "openai": "input",
}
# What stands before the conversation and stays as it is from turn to turn, in either spelling.
_FRONT = (
    "system",
    "instructions",
    "systemInstruction",
    "system_instruction",
    "tools",
    "functions",
    "toolConfig",
)
_SYSTEM = ("system", "instructions", "systemInstruction", "system_instruction")
_TOOLS = ("tools", "functions")
_CONFIG = ("toolConfig",)
_USERS = frozenset({"user", ""})
_MAX_DEPTH = 3


class _Turn(msgspec.Struct):
    role: str = ""
    content: Raw = Raw()
    parts: Raw = Raw()


class _Blob(msgspec.Struct):
    mimeType: str = ""  # noqa: N815 - Google's spelling
    mime_type: str = ""


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None
    image: Raw | None = None
    content: Raw = Raw()
    inlineData: _Blob | None = None  # noqa: N815 - Google's spelling
    inline_data: _Blob | None = None
    fileData: _Blob | None = None  # noqa: N815 - Google's spelling
    file_data: _Blob | None = None


class _ToolConfig(msgspec.Struct):
    tools: list[Raw] = []


_turns = msgspec.json.Decoder(list[_Turn]).decode
_raws = msgspec.json.Decoder(list[Raw]).decode
_turn = msgspec.json.Decoder(_Turn).decode
_parts = msgspec.json.Decoder(list[_Part]).decode
_text = msgspec.json.Decoder(str).decode
_texts = msgspec.json.Decoder(list[str]).decode
_config = msgspec.json.Decoder(_ToolConfig).decode
_IMAGES = frozenset({"image", "image_url", "input_image"})


def prompt_of(request: OpenAIRequest) -> str:
    """The text of the last turn in which the user says something; empty where there is none."""
    text = _conversation(request)
    if not text:
        return request.form.text("prompt") or "" if request.form is not None else ""
    if not text.startswith(b"["):
        return _said(text)
    try:
        turns = _turns(text)
    except msgspec.DecodeError:
        return _last(text)
    for turn in reversed(turns):
        if turn.role in _USERS:
            found = "\n".join(part.text for part in _parts_of(turn) if part.text)
            if found:
                return found
    return ""


def conversation_of(request: OpenAIRequest) -> list[tuple[str, str]]:
    """Who said what, as far as it is text: the system prompt, then turn by turn."""
    found: list[tuple[str, str]] = []
    raw = request.fields.raw if request.fields is not None else {}
    for name in _SYSTEM:
        text = _front_text(raw.get(name, b""))
        if text:
            found.append(("system", text))
    conversation = _conversation(request)
    if not conversation.startswith(b"["):
        return [*found, ("user", prompt_of(request))]
    try:
        turns = _turns(conversation)
    except msgspec.DecodeError:
        return [*found, ("user", prompt_of(request))]
    for turn in turns:
        text = "\n".join([part.text for part in _parts_of(turn) if part.text])
        if text:
            found.append((turn.role or "user", text))
    return found


def _front_text(raw: bytes) -> str:
    """What a system prompt says: a text, a list of parts, or Google's object of parts."""
    if raw.startswith(b"{"):
        try:
            raw = bytes(_turn(raw).parts)
        except msgspec.DecodeError:
            return ""
    return "\n".join([part.text for part in _read_parts(raw) if part.text])


def prefix_of(request: OpenAIRequest) -> bytes:
    """A hash of what no later turn of a conversation changes: system, tools, the first prompt."""
    digest = hashlib.blake2b(digest_size=16)
    if request.fields is not None:
        raw = request.fields.raw
        for name in _FRONT:
            if name in raw:
                digest.update(raw[name])
    for text in _first_turns(_conversation(request)):
        digest.update(text)
    return digest.digest()


def images_in(request: OpenAIRequest) -> int:
    """How many images the request shows to the model."""
    text = _conversation(request)
    if not text.startswith(b"["):
        return 0
    try:
        turns = _turns(text)
    except msgspec.DecodeError:
        return 0
    return sum(_images(part, 0) for turn in turns for part in _parts_of(turn))


def tools_in(request: OpenAIRequest) -> int:
    """How many tools the model is offered."""
    if request.fields is None:
        return 0
    raw = request.fields.raw
    try:
        found = sum(len(_raws(raw[name])) for name in _TOOLS if name in raw and raw[name] != b"null")
        return found + sum(len(_config(raw[name]).tools) for name in _CONFIG if name in raw)
    except msgspec.DecodeError:
        return 0


def _conversation(request: OpenAIRequest) -> bytes:
    if request.fields is None:
        return b""
    return request.fields.raw.get(_TURNS.get(request.endpoint.shape, ""), b"")


def _first_turns(text: bytes) -> Iterator[bytes]:
    """The turns up to the user's first, as they are written."""
    if not text.startswith(b"["):
        yield text
        return
    try:
        turns = _raws(text)
    except msgspec.DecodeError:
        return
    for turn in turns:
        each = bytes(turn)
        yield each
        try:
            if _turn(each).role in _USERS:
                return
        except msgspec.DecodeError:
            return


def _parts_of(turn: _Turn) -> list[_Part]:
    raw = bytes(turn.content) or bytes(turn.parts)
    return _read_parts(raw)


def _read_parts(raw: bytes) -> list[_Part]:
    try:
        if raw.startswith(b'"'):
            return [_Part(text=_text(raw))]
        return _parts(raw) if raw.startswith(b"[") else []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def _images(part: _Part, depth: int) -> int:
    blobs = (part.inlineData, part.inline_data, part.fileData, part.file_data)
    if any(blob is not None and (blob.mimeType or blob.mime_type).startswith("image/") for blob in blobs):
        return 1
    if part.type in _IMAGES or part.image is not None:
        return 1
    nested = bytes(part.content)
    if not nested.startswith(b"[") or depth >= _MAX_DEPTH:
        return 0
    return sum(_images(each, depth + 1) for each in _read_parts(nested))


def _said(text: bytes) -> str:
    try:
        return _text(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _last(text: bytes) -> str:
    """The last of a list of texts."""
    try:
        return next(reversed(_texts(text)), "")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
