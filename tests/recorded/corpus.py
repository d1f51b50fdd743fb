"""The recorded exchanges: where they are, and what each of them says.

What a recording tells is read here with `json` alone, independently of the gateway's own readers.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
APIS = (
    "openai.chat",
    "openai.completions",
    "openai.responses",
    "openai.embeddings",
    "openai.images",
    "openai.moderations",
    "openai.audio.speech",
    "openai.audio.transcriptions",
    "openai.audio.translations",
)
_PATHS = (
    "/chat/completions",
    "/completions",
    "/responses",
    "/embeddings",
    "/moderations",
    "/images/generations",
    "/images/edits",
    "/images/variations",
    "/audio/speech",
    "/audio/transcriptions",
    "/audio/translations",
)


@dataclass(frozen=True)
class Recording:
    """One exchange; `path` is the gateway's path for it."""

    id: str
    api: str
    path: str
    request: dict[str, Any] | None
    streaming: bool
    status: int
    headers: dict[str, str]
    body: bytes
    chunks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def multipart(self) -> bool:
        """Whether the endpoint takes a form."""
        return self.path in {
            "/v1/images/edits",
            "/v1/images/variations",
            "/v1/audio/transcriptions",
            "/v1/audio/translations",
        }

    @property
    def asks_usage(self) -> bool:
        """Whether the recorded client asked for usage in the stream."""
        options: dict[str, Any] = (self.request or {}).get("stream_options") or {}
        return bool(options.get("include_usage"))


def data_folder() -> Path:
    """Where recorded data lie: PENSTOCK_DATA, else beside the checkout."""
    return Path(os.environ.get("PENSTOCK_DATA") or ROOT.parent / "shared")


def recordings(api: str) -> list[Recording]:
    """The recordings of one API. Skips the test where there are none, and fails it in CI."""
    file = data_folder() / "corpus" / "corpus_open.jsonl.gz"
    if not file.exists():
        reason = f"the recordings are not at {file}: set PENSTOCK_DATA to the folder that holds corpus/"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    mark = json.dumps(api).encode()
    found: list[Recording] = []
    with gzip.open(file) as lines:
        for line in lines:
            if mark in line[:400] and (row := json.loads(line))["api"] == api:
                recording = _recording(row)
                if recording is not None:
                    found.append(recording)
    return found


def _recording(row: dict[str, Any]) -> Recording | None:
    path = row["request"]["path"].split("?")[0]
    suffix = next((s for s in _PATHS if path.endswith(s)), None)
    if suffix is None:
        return None
    reply = row["response"]
    if "body_b64" in reply:
        body = base64.b64decode(reply["body_b64"])
    elif "body_text" in reply:
        body = reply["body_text"].encode()
    else:
        body = json.dumps(reply["json"], ensure_ascii=False).encode()
    return Recording(
        id=row["id"],
        api=row["api"],
        path="/v1" + suffix,
        request=row["request"].get("json"),
        streaming=row["streaming"],
        status=reply["status"],
        headers=reply.get("headers") or {},
        body=body,
        chunks=_chunks(body) if row["streaming"] else [],
    )


def _chunks(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in body.splitlines():
        if line.startswith(b"data:") and (text := line[5:].strip()) not in {b"", b"[DONE]"}:
            value = json.loads(text)
            if isinstance(value, dict):
                found.append(value)  # pyright: ignore[reportUnknownArgumentType]
    return found
