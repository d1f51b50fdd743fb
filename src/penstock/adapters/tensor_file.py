"""Arrays in a file that cannot do anything: the safetensors format, read and written with numpy alone.

Eight bytes of header length, a JSON header with each array's type, shape and place, then the numbers as they
are (https://github.com/huggingface/safetensors, section Format). Nothing in it is ever executed.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
MAX_HEADER_BYTES = 32_000_000
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I8": "<i1",
    "U8": "<u1",
    "BOOL": "?",
}
_NAMES = {np.dtype(code): name for name, code in _TYPES.items()}


class TensorFileError(ValueError):
    """The file is not what it should be; the sentence says in what."""


def read_tensors(data: bytes) -> tuple[Arrays, dict[str, str]]:
    """The arrays by name, and the file's metadata. Raises TensorFileError."""
    header, body = _split(data)
    metadata = header.pop("__metadata__", {})
    arrays: Arrays = {}
    for name, each in header.items():
        try:
            kind = np.dtype(_TYPES[each["dtype"]])
            shape = tuple(int(size) for size in each["shape"])
            begin, end = (int(offset) for offset in each["data_offsets"])
        except (KeyError, TypeError, ValueError) as error:
            raise TensorFileError(f"array {name!r} is described wrongly: {error}") from None
        count = math.prod(shape)
        if (
            not 0 <= begin <= end <= len(body)
            or end - begin != count * kind.itemsize
            or min(shape, default=0) < 0
        ):
            raise TensorFileError(f"array {name!r} lies outside of the file or has another size than it says")
        arrays[name] = np.frombuffer(body, kind, count, begin).reshape(shape)
    return arrays, {str(key): str(value) for key, value in metadata.items()}


def _split(data: bytes) -> tuple[dict[str, Any], bytes]:
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(MAX_HEADER_BYTES, len(data) - 8):
        raise TensorFileError("not a safetensors file: its header does not fit into it")
    try:
        header = json.loads(data[8 : 8 + size])
    except ValueError as error:
        raise TensorFileError(f"not a safetensors file: its header is no JSON ({error})") from None
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):  # pyright: ignore[reportUnknownMemberType]
        raise TensorFileError("not a safetensors file: its header is no object")
    return header, data[8 + size :]  # pyright: ignore[reportUnknownVariableType]


def tensor_bytes(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """The file's content, the same for the same input."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    pieces: list[bytes] = []
    at = 0
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        piece = array.tobytes()
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + len(piece)],
        }
        at += len(piece)
        pieces.append(piece)
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *pieces])


def write_atomically(path: Path, data: bytes) -> None:
    """Replace the file in one step, so that nobody reads half of it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new-{os.getpid()}")
    new.write_bytes(data)
    new.replace(path)
