"""Random JSON that has the names of real fields, so that it reaches the depths of a decoder."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from penstock.core.errors import ShapeError

_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
    st.sampled_from(["text", "thinking", "image_url", "document", "function", "data:x;base64,AA"]),
)  # fmt: skip


def values(*names: str) -> st.SearchStrategy[Any]:
    """Any JSON value whose objects' members often have one of the names."""
    keys = st.one_of(st.sampled_from(names), st.text(max_size=4))
    return st.recursive(
        _LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=6)),
        max_leaves=30,
    )  # fmt: skip


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any JSON object of that kind."""
    return st.dictionaries(st.sampled_from(names), values(*names), max_size=8)


def only_shape_errors(call: Callable[[], object]) -> None:
    """The call does its work or raises ShapeError."""
    with suppress(ShapeError):
        call()


def deep(levels: int = 90_000) -> bytes:
    """An object nested as deep as 200 kB allow."""
    return b'{"messages":' + b"[" * levels + b"]" * levels + b"}"


def wide(name: str) -> dict[str, Any]:
    """200 kB of small members."""
    return {name: [{"a": at} for at in range(15_000)], "x": json.loads("[" * 200 + "]" * 200)}


def seconds(call: Callable[[], object]) -> float:
    """The processor's time for a call, without the collector, which goes through what other tests hold."""
    gc.disable()
    before = time.process_time()
    try:
        call()
    finally:
        gc.enable()
    return time.process_time() - before
