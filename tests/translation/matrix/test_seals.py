"""What a vendor signed comes back to it unchanged on the next turn, through any dialect, and to no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.losses import Losses
from penstock.dialects.registry import chat_dialect
from penstock.ports.translation import Addressee
from penstock.providers.registry import chat_provider
from tests.translation.matrix.classify import CURIOUS
from tests.translation.matrix.golden import MODELS
from tests.translation.matrix.history import WITH_HISTORY, next_turn
from tests.translation.matrix.sides import TARGETS, profile_of, written_whole
from tests.translation.matrix.vendor_answers import ANSWERS

SEAL = "c2VhbA=="
SIGNERS = ("openai.responses", "anthropic", "gemini", "converse")
# Bedrock serves Anthropic's models, which check the same signatures.
_FAMILY = {"anthropic", "converse"}


def _sent(dialect: str, body: dict[str, Any], target: str) -> str:
    request = chat_dialect(dialect).decode_request({"model": "m", **body}, "m", stream=False)
    to = Addressee(MODELS[target], profile_of(target, MODELS[target]), Losses())
    return json.dumps(chat_provider(target).encode_request(request, to))


@pytest.mark.parametrize("dialect", WITH_HISTORY)
@pytest.mark.parametrize("signer", SIGNERS)
def test_a_seal_comes_back_to_its_vendor_alone(signer: str, dialect: str) -> None:
    """Two turns with a call in between, whose id is the one that its vendor gave or a made one."""
    reply = chat_provider(signer).decode_reply(json.loads(json.dumps(ANSWERS[signer]["thinking"])))
    turn = next_turn(dialect, written_whole(reply, dialect, CURIOUS))
    again = _sent(dialect, turn, signer)
    assert f'"{SEAL}"' in again
    assert "-ps1-" not in again
    if signer in _FAMILY:
        assert "I should ask." in again
    for other in TARGETS:
        if other != signer and not {other, signer} <= _FAMILY:
            told = _sent(dialect, turn, other)
            assert SEAL not in told, other
            assert "-ps1-" not in told, other


@pytest.mark.parametrize("signer", SIGNERS)
def test_a_third_turn_has_the_seals_of_both_before(signer: str) -> None:
    """A chat client that keeps its history keeps every seal in it."""
    reply = chat_provider(signer).decode_reply(json.loads(json.dumps(ANSWERS[signer]["thinking"])))
    turn = next_turn("openai.chat", written_whole(reply, "openai.chat", CURIOUS))
    twice = {"messages": [*turn["messages"], *turn["messages"][1:]]}
    assert _sent("openai.chat", twice, signer).count(f'"{SEAL}"') == 2
