"""The recorded exchanges as translators see them: a request, and a reply whole or as wire events."""

from __future__ import annotations

import base64
import gzip
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import pytest

from tests.recorded.corpus import data_folder

# Why a recorded request cannot be compared: it is not the one that was sent.
_NOT_AS_SENT = ("request_body_truncated", "request_body_not_recorded", "blob_shrunk")


@dataclass(frozen=True)
class Exchange:
    """One recorded exchange. `body` has the reply's bytes as the vendor framed them."""

    id: str
    provider: str
    api: str
    model: str
    path: str
    request: Any
    streaming: bool
    status: int
    headers: dict[str, str]
    body: bytes
    json: Any
    notes: list[str] = field(default_factory=list[str])

    @property
    def as_sent(self) -> bool:
        """Whether the request is what the client sent."""
        return self.request is not None and not any(
            note.startswith(mark) for note in self.notes for mark in _NOT_AS_SENT
        )


def exchanges(*apis: str) -> list[Exchange]:
    """The recorded exchanges of these APIs. Skips the test where there are none, and fails it in CI."""
    file = data_folder() / "corpus" / "corpus_open.jsonl.gz"
    if not file.exists():
        reason = f"the recordings are not at {file}: set PENSTOCK_DATA to the folder that holds corpus/"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    by_api = _read(str(file))
    return [each for api in apis for each in by_api.get(api, [])]


@cache
def _read(file: str) -> dict[str, list[Exchange]]:
    found: dict[str, list[Exchange]] = {}
    with gzip.open(file) as lines:
        for line in lines:
            row = json.loads(line)
            found.setdefault(row["api"], []).append(_exchange(row))
    return found


def _exchange(row: dict[str, Any]) -> Exchange:
    reply, asked = row["response"], row["request"]
    if "body_b64" in reply:
        body = base64.b64decode(reply["body_b64"])
    elif "body_text" in reply:
        body = reply["body_text"].encode()
    else:
        body = json.dumps(reply.get("json"), ensure_ascii=False).encode()
    return Exchange(
        id=row["id"],
        provider=row["provider"],
        api=row["api"],
        model=row["model"] or "",
        path=asked["path"],
        request=asked.get("json"),
        streaming=row["streaming"],
        status=reply["status"],
        headers=reply.get("headers") or {},
        body=body,
        json=reply.get("json"),
        notes=row.get("notes") or [],
    )


def cut(body: bytes, seed: str) -> Iterator[bytes]:
    """The body in pieces, cut at random places that depend on `seed` alone; some are one byte."""
    draw = random.Random(seed)
    at = 0
    while at < len(body):
        size = draw.choice((1, 2, 7, 64, 500, 4000))
        yield body[at : at + size]
        at += size


def difference(left: Any, right: Any, path: str = "") -> str:
    """Where two JSON values first differ, empty where they are equal; whole numbers equal their floats."""
    if isinstance(left, dict) and isinstance(right, dict):
        one, two = cast("dict[str, Any]", left), cast("dict[str, Any]", right)
        for name in sorted({*one, *two}):
            if name not in one or name not in two:
                return f"{path}.{name}: only on the {'right' if name not in one else 'left'}"
            if found := difference(one[name], two[name], f"{path}.{name}"):
                return found
        return ""
    if isinstance(left, list) and isinstance(right, list):
        these, those = cast("list[Any]", left), cast("list[Any]", right)
        if len(these) != len(those):
            return f"{path}: {len(these)} items, {len(those)} items"
        for at, (a, b) in enumerate(zip(these, those, strict=True)):
            if found := difference(a, b, f"{path}[{at}]"):
                return found
        return ""
    if isinstance(left, bool) is not isinstance(right, bool) or left != right:
        return f"{path}: {_short(left)} is not {_short(right)}"
    return ""


def _short(value: Any) -> str:
    return json.dumps(value)[:80]
