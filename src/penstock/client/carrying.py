"""How a call becomes a request, and its answer a value: for the synchronous and the asynchronous client."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict, TypeVar

import httpx
import msgspec

from penstock.client.calls import Call
from penstock.client.errors import UnreachableError, problem_of

TIMEOUT_S = 30.0
_JSON = {"content-type": "application/json"}
T = TypeVar("T")


class Asking(TypedDict):
    """What httpx takes."""

    method: str
    url: str
    params: dict[str, str]
    headers: dict[str, str]
    content: bytes | None


def settings_of(
    url: str, token: str, socket: Path | None, headers: dict[str, str] | None, timeout_s: float
) -> dict[str, Any]:
    """What a client of httpx is made with, but for its transport."""
    return {
        "base_url": url,
        "headers": {"authorization": f"Bearer {token}", **(headers or {})},
        "timeout": timeout_s,
        "trust_env": socket is None,
    }


def request_of(call: Call[Any], socket: Path | None) -> Asking:
    """A call as a request. Raises UnreachableError where the socket is not there."""
    if socket is not None and not socket.exists():
        raise UnreachableError(f"nothing listens at {socket}")
    return {
        "method": call.method,
        "url": call.path,
        "params": call.query,
        "headers": {**call.headers, **(_JSON if call.body is not None else {})},
        "content": msgspec.json.encode(call.body) if call.body is not None else None,
    }


def unreachable(base_url: object, error: httpx.HTTPError) -> UnreachableError:
    """Nothing answered there."""
    return UnreachableError(f"{base_url}: {error or type(error).__name__}")


def value_of(call: Call[T], answer: httpx.Response) -> T:
    """What the server answered. Raises ProblemError."""
    if not answer.is_success:
        raise problem_of(answer.status_code, answer.content)
    if call.answer is bytes:
        return answer.content  # pyright: ignore[reportReturnType]
    return msgspec.json.decode(answer.content, type=call.answer)
