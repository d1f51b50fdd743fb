"""The golden matrix: what each client's questions become for each vendor, and its answers for each client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from penstock.core.forced_tool import force
from penstock.core.losses import Losses
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Addressee, Asked
from penstock.providers.registry import chat_provider
from tests.translation.matrix.classify import CURIOUS
from tests.translation.matrix.client_questions import QUESTIONS
from tests.translation.matrix.golden_errors import told_break, told_errors
from tests.translation.matrix.history import WITH_HISTORY, next_turn
from tests.translation.matrix.richer_answers import ALL_ANSWERS as ANSWERS
from tests.translation.matrix.sides import profile_of, reframed

_TOOLS = ("tools", "toolConfig", "max_tokens")
FOLDER = Path(__file__).parent / "golden"
# One current model of each, so that families' own rows are seen.
MODELS = {
    "openai.chat": "gpt-5.1",
    "openai.responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-6",
    "gemini": "gemini-3-pro",
    "converse": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "cohere": "command-a-03-2025",
    "mistral": "mistral-large-latest",
    "ollama": "llama3.2",
}


def _request(dialect: str, body: dict[str, Any], target: str) -> dict[str, Any]:
    profile, losses = profile_of(target, MODELS[target]), Losses()
    request = chat_dialect(dialect).decode_request(json.loads(json.dumps(body)), "a-route", stream=True)
    if profile.schema == "tool" and request.output is not None and losses.map("output.schema"):
        request = force(request)
    body = chat_provider(target).encode_request(request, Addressee(MODELS[target], profile, losses))
    return {"warning": losses.warning(), "body": json.loads(json.dumps(body))}


def _whole(target: str, reply: dict[str, Any], dialect: str, to: Asked) -> Any:
    decoded = chat_provider(target).decode_reply(json.loads(json.dumps(reply)))
    return chat_dialect(dialect).encode_reply(decoded, to)


def _stream(target: str, events: list[Any], dialect: str, to: Asked) -> list[Any]:
    decoder, encoder = chat_provider(target).stream(), chat_dialect(dialect).stream(to)
    written: list[Any] = []
    for event in events:
        name, value = (
            cast("tuple[str, Any]", event) if isinstance(event, tuple) else (event.get("type", ""), event)
        )
        written += encoder.write(decoder.read(name, json.dumps(value).encode()))
    told: list[Any] = []
    for wire in reframed(written + encoder.end(), dialect):
        value = "[DONE]" if wire.data == b"[DONE]" else json.loads(wire.data)
        told.append({wire.name: value} if wire.name else value)
    return told


def _returns(target: str, dialect: str) -> Any:
    """An answer with sealed thinking, as the vendor hears it again with the client's next question."""
    answer = ANSWERS[target].get("thinking")
    if answer is None or dialect not in WITH_HISTORY:
        return None
    body = json.loads(json.dumps(_whole(target, answer, dialect, CURIOUS)))
    tools = {name: value for name, value in QUESTIONS[dialect]["conversation"].items() if name in _TOOLS}
    sent = _request(dialect, {**tools, **next_turn(dialect, body)}, target)
    return sent["body"]


def snapshot(target: str, dialect: str) -> str:
    """The file of one pair."""
    answers = {name: reply for name, reply in ANSWERS[target].items() if name != "streams"}
    streams = ANSWERS[target]["streams"]
    value = {
        "requests": {name: _request(dialect, body, target) for name, body in QUESTIONS[dialect].items()},
        "replies": {name: _whole(target, reply, dialect, CURIOUS) for name, reply in answers.items()},
        "streams": {name: _stream(target, events, dialect, CURIOUS) for name, events in streams.items()},
        "returns": _returns(target, dialect),
        "errors": told_errors(target, dialect),
        "break": told_break(target, dialect),
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def file_of(target: str, dialect: str) -> Path:
    """Where a pair's snapshot is."""
    return FOLDER / f"{target}--{dialect}.json"
