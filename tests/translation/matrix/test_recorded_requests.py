"""Each recorded request can be encoded for every target: nothing is raised but our own errors."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

from penstock.core.chat import ChatRequest
from penstock.core.errors import ShapeError
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.profile import Profile
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Addressee
from penstock.providers.registry import chat_provider
from tests.translation.matrix.sides import TARGETS, profile_of
from tests.translation.recordings import Exchange, exchanges

# The recorded APIs whose requests are a client's too.
ASKING = {
    "openai.chat": "openai.chat",
    "openai.completions": "openai.completions",
    "openai.responses": "openai.responses",
    "anthropic.messages": "anthropic",
    "gemini.generateContent": "gemini",
    "gemini.streamGenerateContent": "gemini",
    "bedrock.converse": "converse",
    "bedrock.converse_stream": "converse",
}


def request_of(each: Exchange, shape: str) -> ChatRequest | None:
    """A recorded request, decoded; None where it cannot be (some were recorded to see them refused)."""
    body: dict[str, Any] = copy.deepcopy(each.request)
    model = body.get("model") or each.model or unquote(each.path).rpartition("/")[2].partition(":")[0]
    try:
        return chat_dialect(shape).decode_request(body, str(model), stream=each.streaming)
    except ShapeError:
        return None


def _recorded(api: str) -> Iterator[tuple[Exchange, ChatRequest]]:
    for each in exchanges(api):
        if isinstance(each.request, dict) and (request := request_of(each, ASKING[api])) is not None:
            yield each, request


def _fault(request: ChatRequest, target: str, profile: Profile, policy: Any) -> str:
    losses = Losses(policy)
    try:
        body = chat_provider(target).encode_request(request, Addressee("target-model", profile, losses))
        msgspec.json.encode(body)
    except UnsupportedError as error:
        return "" if policy == "error" else f"{error!r} although losses are allowed"
    except ShapeError:
        return ""
    except Exception as error:  # noqa: BLE001 - every other one is a fault
        return repr(error)
    return ""


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("api", ASKING)
def test_a_recorded_request_can_be_sent_to_any_target(api: str, target: str) -> None:
    """With what the target's models take as a rule, with all that its API has, and where losses are errors."""
    wrong: list[str] = []
    seen = 0
    for each, request in _recorded(api):
        seen += 1
        for profile, policy in (
            (profile_of(target), "map"),
            (Profile(), "drop"),
            (profile_of(target), "error"),
        ):
            if found := _fault(request, target, profile, policy):
                wrong.append(f"{each.id} {policy}: {found}")
    shown = "\n".join(wrong[:5])
    assert not wrong, f"{len(wrong)} of {seen}:\n{shown}"
    assert seen
