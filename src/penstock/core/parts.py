"""What a message is made of: typed parts, each able to carry what only its own API shape can say.

A *shape* is the API in which something was written (`openai.chat`, `anthropic`, `gemini`, …). A decoder moves
every field that it understands into the part's own fields and leaves the rest, untouched, in `extras`; the
encoder of the same shape puts them back, every other encoder passes over them. So nothing is lost between equal
shapes, and nothing foreign leaks between different ones.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Extras(msgspec.Struct, frozen=True):
    """Fields that only one API shape knows, as JSON values."""

    shape: str
    fields: dict[str, Any]


class CacheHint(msgspec.Struct, frozen=True):
    """The prompt up to and including this part should be cached; `ttl_s` None leaves the time to the vendor."""

    ttl_s: int | None = None
    extras: Extras | None = None


class Signature(msgspec.Struct, frozen=True):
    """A vendor's seal on something it said, to be sent back unchanged to the same vendor.

    `signer` is the shape whose models can check it (`anthropic`, `gemini`, `openai.responses`, …); `value` is
    the text in which that vendor gave it.
    """

    signer: str
    value: str


class Inline(msgspec.Struct, frozen=True, tag_field="kind", tag="inline"):
    """Media in the request itself; `data` is base64."""

    media_type: str
    data: str


class Link(msgspec.Struct, frozen=True, tag_field="kind", tag="link"):
    """Media at an address (https, gs, s3) that the vendor fetches."""

    url: str
    media_type: str = ""


class FileRef(msgspec.Struct, frozen=True, tag_field="kind", tag="file"):
    """A file that was uploaded to the vendor before."""

    file_id: str
    media_type: str = ""


class Plain(msgspec.Struct, frozen=True, tag_field="kind", tag="plain"):
    """A document given as plain text."""

    text: str


Source = Inline | Link | FileRef | Plain


class Citation(msgspec.Struct, frozen=True):
    """Where a piece of text comes from.

    `start` and `end` are character offsets into the text of the answer's part, None where the vendor does not
    tell; `cited` is the quoted source text; `document` is the index of a document in the request.
    """

    url: str = ""
    title: str = ""
    cited: str = ""
    start: int | None = None
    end: int | None = None
    document: int | None = None
    extras: Extras | None = None


class Text(msgspec.Struct, frozen=True, tag_field="kind", tag="text"):
    """Plain text."""

    text: str
    citations: tuple[Citation, ...] = ()
    cache: CacheHint | None = None
    signature: Signature | None = None
    extras: Extras | None = None


class Image(msgspec.Struct, frozen=True, tag_field="kind", tag="image"):
    """A picture; `detail` is the wish for its resolution (`low`, `high`, `auto`), empty for none."""

    source: Source
    detail: str = ""
    cache: CacheHint | None = None
    signature: Signature | None = None
    extras: Extras | None = None


class Audio(msgspec.Struct, frozen=True, tag_field="kind", tag="audio"):
    """Sound; `format` such as `wav` or `mp3`; `transcript` and `id` where a model made it."""

    source: Source | None
    format: str = ""
    transcript: str = ""
    id: str = ""
    cache: CacheHint | None = None
    extras: Extras | None = None


class Video(msgspec.Struct, frozen=True, tag_field="kind", tag="video"):
    """A moving picture."""

    source: Source
    cache: CacheHint | None = None
    extras: Extras | None = None


class Document(msgspec.Struct, frozen=True, tag_field="kind", tag="document"):
    """A file to be read, such as a PDF; `name` is its file name, `citable` asks for citations from it."""

    source: Source
    name: str = ""
    title: str = ""
    context: str = ""
    citable: bool = False
    cache: CacheHint | None = None
    extras: Extras | None = None


class ToolCall(msgspec.Struct, frozen=True, tag_field="kind", tag="tool_call"):
    """The model asks for a tool; `arguments` is an object's JSON text, or free text for a `custom` tool."""

    id: str
    name: str
    arguments: str = ""
    type: Literal["function", "custom"] = "function"
    cache: CacheHint | None = None
    signature: Signature | None = None
    extras: Extras | None = None


class ToolResult(msgspec.Struct, frozen=True, tag_field="kind", tag="tool_result"):
    """What a tool gave. `name` is known only to shapes that send it; `is_error` None where nothing is said.

    A result that is a JSON value and not text stands in `value`, and `content` is empty then.
    """

    call_id: str
    name: str = ""
    content: tuple[Part, ...] = ()
    value: Any = None
    is_error: bool | None = None
    cache: CacheHint | None = None
    signature: Signature | None = None
    extras: Extras | None = None


class Thinking(msgspec.Struct, frozen=True, tag_field="kind", tag="thinking"):
    """What a model thought before it answered.

    `text` is readable (in full or as the vendor's summary), `signature` seals it, and `sealed` is thinking
    that the vendor gives only encrypted, readable by `sealed.signer` alone. `id` is the vendor's name for it.
    """

    text: str = ""
    signature: Signature | None = None
    sealed: Signature | None = None
    id: str = ""
    cache: CacheHint | None = None
    extras: Extras | None = None


class Refused(msgspec.Struct, frozen=True, tag_field="kind", tag="refused"):
    """The model declines, in words."""

    text: str
    extras: Extras | None = None


class Opaque(msgspec.Struct, frozen=True, tag_field="kind", tag="opaque"):
    """A part that only its own shape understands (a built-in tool's call or result, …), kept as it came."""

    shape: str
    value: dict[str, Any]


Part = (
    Text | Image | Audio | Video | Document | ToolCall | ToolResult | Thinking | Refused | Opaque
)  # fmt: skip
