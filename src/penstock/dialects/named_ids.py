"""What a request names that stands elsewhere: items and containers by id, files, stores, caches, cloud objects.

A vendor looks such a name up with the gateway's credential, which other organisations use as well, so that none
goes on before its owner is known (docs/responses.md, "Whose it is"). Only places that a vendor reads as a name
count: what a tool was called with, its schema, annotations of an earlier answer and metadata are data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, NamedTuple, cast

import msgspec

from penstock.core.errors import Refusal
from penstock.shapes.openai_request import Endpoint
from penstock.shapes.openai_responses.names import is_made
from penstock.wire.json_fields import Fields

Kind = Literal["item", "container", "file", "store", "cache", "address"]
MAX_NAMED: Final = 1000


class Named(NamedTuple):
    """One name; `where` is its place in the request."""

    kind: Kind
    id: str
    where: str


_KEYS: Final[dict[str, Kind]] = {
    "file_id": "file",
    "file_ids": "file",
    "container_id": "container",
    "vector_store_id": "store",
    "vector_store_ids": "store",
    "collection_ids": "store",
    "file_search_store_names": "store",
    "fileSearchStoreNames": "store",
    "ragCorpus": "store",
    "rag_corpus": "store",
    "ragCorpora": "store",
    "rag_corpora": "store",
    "datastore": "store",
    "dataStore": "store",
    "data_store": "store",
    "cached_content": "cache",
    "cachedContent": "cache",
}
_URLS: Final = frozenset(
    {"url", "uri", "image_url", "file_url", "video_url", "audio_url", "document_url", "fileUri", "file_uri"}
)
# What a client's program or a model wrote, and what tells of an earlier answer.
_OPENAI_DATA: Final = frozenset(
    {
        *("parameters", "schema", "metadata", "tool_calls", "function_call", "arguments"),
        *("annotations", "results", "logprobs", "outputs", "client_metadata"),
    }
)
_ANTHROPIC_DATA: Final = frozenset({"input", "input_schema", "schema", "metadata", "citations"})
_GEMINI_DATA: Final = frozenset(
    {
        *("args", "response", "parameters", "parametersJsonSchema", "parameters_json_schema", "responseSchema"),
        *("response_schema", "responseJsonSchema", "response_json_schema", "labels", "groundingMetadata"),
    }
)
_CONVERSE_DATA: Final = frozenset({"input", "json", "inputSchema", "requestMetadata"})

# What most requests consist of, and in which nothing is named unless there are typed parts.
_PLAIN: Final = frozenset(
    {
        *("model", "messages", "input", "prompt", "system", "instructions", "stream", "stream_options", "stop"),
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "temperature", "top_p", "top_k", "n"),
        *("seed", "user", "metadata", "store", "reasoning", "reasoning_effort", "service_tier", "dimensions"),
        *("presence_penalty", "frequency_penalty", "stop_sequences", "previous_response_id"),
        *("encoding_format",),
    }
)
_TYPED: Final[dict[str, tuple[bytes, ...]]] = {
    "openai": (b'"type"', b"\\u00"),
    "openai.responses": (b'"type"', b'"id"', b"\\u00"),
    "anthropic": (b'"type"', b"\\u00"),
}
# A body without any of these names nothing; a letter may stand there escaped.
_ADDRESSES: Final = (b'"gs:', b'"s3:', b"googleapis.com", b"\\u00")
_OPENAI_MARKS: Final = (b"file_id", b"_store_id", b"ached_content", b"achedContent", *_ADDRESSES)
_MARKS: Final[dict[str, tuple[bytes, ...]]] = {
    "openai": _OPENAI_MARKS,
    "openai.responses": (*_OPENAI_MARKS, b"collection_ids", b"container", b'"id"'),
    "anthropic": (b"file_id", b'"container"', *_ADDRESSES),
    "gemini": (b'"file', b"ached_content", b"achedContent", b"tore", b"orpus", b"orpora", b"\\u00"),
    "converse": (b"s3Location", b"\\u00"),
}
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


def named_ids(endpoint: Endpoint, fields: Fields) -> list[Named]:
    """Every name in a JSON body, in order. Raises Refusal: too many to look up, or no JSON."""
    body = fields.body
    kind = endpoint.shape if endpoint.shape in _READERS else endpoint.dialect
    typed = _TYPED.get(kind)
    if typed is not None and fields.raw.keys() <= _PLAIN and not _any_of(typed, body):
        return []
    if not _any_of(_MARKS.get(kind, _OPENAI_MARKS), body):
        return []
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("invalid_json", f"the body is not JSON that can be read: {error}") from None
    read = _READERS.get(kind, _openai)
    found = list(read(value))
    if len(found) > MAX_NAMED:
        raise Refusal(
            "invalid_type", f"the request names {len(found)} things; {MAX_NAMED} are looked up at most"
        )
    return found


def _any_of(marks: tuple[bytes, ...], body: bytes) -> bool:
    for mark in marks:  # noqa: SIM110 - a generator costs as much again, on each request
        if body.find(mark) >= 0:  # `in` asks first whether the mark is a number, which costs more
            return True
    return False


def _walk(value: Any, where: str, data: frozenset[str]) -> Iterator[Named]:
    """The names below a value, by their keys, and addresses that only a credential opens."""
    if isinstance(value, list):
        for at, each in enumerate(cast("list[Any]", value)):
            yield from _walk(each, f"{where}[{at}]", data)
    elif isinstance(value, dict):
        value = cast("dict[str, Any]", value)
        for key, each in value.items():
            if key in data or (key == "file_id" and data is _ANTHROPIC_DATA and _tells(value)):
                continue
            place = f"{where}.{key}" if where else key
            kind = _KEYS.get(key)
            if kind is not None:
                yield from _strings(kind, each, place)
            elif key in _URLS and isinstance(each, str):
                yield from _address(each, place)
            else:
                yield from _walk(each, place, data)


def _tells(block: dict[str, Any]) -> bool:
    """Whether it is what a tool at Anthropic gave: it tells of a file, and reads none."""
    return str(block.get("type")).endswith("_output")


def _strings(kind: Kind, value: Any, where: str) -> Iterator[Named]:
    """A name, or a list of them."""
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    for each in values:
        if isinstance(each, str):
            yield Named(kind, each, where)


_OBJECT: Final = re.compile(r"(?:gs|s3):")
# Google's Files API: by its whole address or by the name alone.
_GOOGLE_FILE: Final = re.compile(
    r"(?:https?://generativelanguage\.googleapis\.com(?::\d+)?/.*)?(?<![^/])files/"
)


def _address(text: str, where: str) -> Iterator[Named]:
    if _OBJECT.match(text):
        yield Named("address", text, where)
    elif _GOOGLE_FILE.match(text):
        yield Named("file", text, where)


def _openai(body: dict[str, Any]) -> Iterator[Named]:
    return _walk(body, "", _OPENAI_DATA)


def _responses(body: dict[str, Any]) -> Iterator[Named]:
    items: Any = body.get("input")
    for at, item in enumerate(cast("list[Any]", items) if isinstance(items, list) else []):
        if isinstance(item, dict):
            yield from _referred(cast("dict[str, Any]", item), f"input[{at}]")
    tools: Any = body.get("tools")
    for at, tool in enumerate(cast("list[Any]", tools) if isinstance(tools, list) else []):
        if isinstance(tool, dict) and isinstance(name := cast("dict[str, Any]", tool).get("container"), str):
            yield Named("container", name, f"tools[{at}].container")
    yield from _walk(body, "", _OPENAI_DATA)


def _referred(item: dict[str, Any], where: str) -> Iterator[Named]:
    """The id of an item that stands for something that its vendor has kept.

    A reference, an image without its data, and reasoning without seal or text, unless it is a translation of
    ours.
    """
    name = item.get("id")
    if not isinstance(name, str):
        return
    kind = item.get("type")
    refers = (
        kind == "item_reference"
        or item.keys() <= {"id", "type"}
        or (kind is None and "role" not in item)
        or (kind == "image_generation_call" and not item.get("result"))
        or (
            kind == "reasoning"
            and not (item.get("encrypted_content") or item.get("content"))
            and not is_made(name)
        )
    )
    if refers:
        yield Named("item", name, f"{where}.id")


def _anthropic(body: dict[str, Any]) -> Iterator[Named]:
    container: Any = body.get("container")
    if isinstance(container, dict):
        container = cast("dict[str, Any]", container).get("id")
    if isinstance(container, str):
        yield Named("container", container, "container")
    for name in ("system", "messages"):
        for found in _walk(body.get(name), name, _ANTHROPIC_DATA):
            if found.kind != "container":
                yield found


def _gemini(body: dict[str, Any]) -> Iterator[Named]:
    return _walk(body, "", _GEMINI_DATA)


def _converse(body: dict[str, Any]) -> Iterator[Named]:
    for name in ("system", "messages"):
        yield from _walk(body.get(name), name, _CONVERSE_DATA)


_READERS: Final[dict[str, Callable[[dict[str, Any]], Iterator[Named]]]] = {
    "openai": _openai,
    "openai.responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "converse": _converse,
}

_HELP: Final[dict[Kind, tuple[str, str]]] = {
    "item": ("no item", "it may have expired or never been kept; send the item itself"),
    "container": (
        "no container",
        "it may have expired or never been handed out here; leave it out for a new one",
    ),
    "file": ("no file", "files are not kept here, so that none is yours; send its content in the request"),
    "store": ("no file store", "none is kept here, so that none is yours; send the texts in the request"),
    "cache": ("no cached content", "none is kept here, so that none is yours; send the content itself"),
    "address": (
        "no object",
        "it would be read with the gateway's own cloud credential; send its content, or an https address",
    ),
}


def unknown_id(named: Named) -> Refusal:
    """The same words whether there is no such thing or it is somebody else's."""
    what, hint = _HELP[named.kind]
    return Refusal(
        "unknown_id", f"{named.where}: {what} {named.id[:96]!r} is known here; {hint}", param=named.where
    )
