"""What was recorded from Google comes back equal through the pivot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.assemble import assemble
from penstock.core.chat import ReplyUsage
from penstock.core.embedding import EmbedRequest
from penstock.core.profile import profile_for
from penstock.dialects.gemini.count import decode_count as ask_count
from penstock.dialects.gemini.count import encode_count as answer_count
from penstock.dialects.gemini.embed import GEMINI_EMBED_DIALECT
from penstock.ports.vectors import EmbedAsked
from penstock.providers.gemini.count import decode_count, encode_count
from penstock.providers.gemini.embed import GEMINI_EMBED
from penstock.providers.gemini.errors import read_error
from penstock.providers.gemini.profile import DEFAULT, ROWS
from tests.translation.gemini.replay import DIALECT, PROVIDER, replayed, to, whole, wire_events
from tests.translation.recordings import difference, exchanges

WHOLE = "gemini.generateContent"
STREAM = "gemini.streamGenerateContent"


def _reported(metadata: dict[str, Any]) -> tuple[int, int, int, int]:
    """Input, output, cached and thought tokens, by the vendor's own words."""
    output = (metadata.get("candidatesTokenCount") or 0) + (metadata.get("thoughtsTokenCount") or 0)
    given = metadata.get("promptTokenCount", 0) + metadata.get("toolUsePromptTokenCount", 0)
    thoughts = metadata.get("thoughtsTokenCount") or 0
    return given, output, metadata.get("cachedContentTokenCount", 0), thoughts


def _counted(usage: ReplyUsage | None) -> tuple[int, int, int, int]:
    if usage is None:
        return 0, 0, 0, 0
    counts = usage.counts
    return counts.input_tokens, counts.output_tokens, counts.cache_read_tokens, counts.reasoning_tokens


def _show(failures: list[str], total: int) -> None:
    assert total > 0
    assert not failures, f"{len(failures)} of {total}:\n" + "\n".join(failures[:8])


def test_replies_come_back_equal() -> None:
    """A whole reply, unknown fields included, is the same JSON after decoding and encoding."""
    all_of_them = [each for each in exchanges(WHOLE) if each.status == 200]
    failures = [
        f"{each.id} {found}" for each in all_of_them if (found := difference(each.json, whole(each.json)))
    ]
    _show(failures, len(all_of_them))


def test_streams_come_back_event_for_event() -> None:
    """Each event of a stream, however it was cut, is the same JSON after decoding and encoding."""
    failures: list[str] = []
    all_of_them = [each for each in exchanges(STREAM) if each.status == 200]
    for each in all_of_them:
        payloads = list(wire_events(each))
        _, out = replayed(payloads)
        came = [json.loads(data) for data in payloads]
        went = [json.loads(event.data) for event in out]
        if found := difference(came, went):
            failures.append(f"{each.id} {found}")
    _show(failures, len(all_of_them))


def test_the_usage_is_the_reported_one() -> None:
    """Tokens equal what the vendor's last word was, in replies and in streams."""
    failures: list[str] = []
    total = 0
    for each in exchanges(WHOLE, STREAM):
        if each.status != 200:
            continue
        total += 1
        if each.api == WHOLE:
            metadata: dict[str, Any] = each.json.get("usageMetadata") or {}
            usage = PROVIDER.decode_reply(each.json).usage
        else:
            payloads = list(wire_events(each))
            told: list[dict[str, Any]] = [json.loads(data).get("usageMetadata") or {} for data in payloads]
            metadata = next((one for one in reversed(told) if "promptTokenCount" in one), told[0])
            usage = assemble(replayed(payloads)[0]).usage
        if _counted(usage) != _reported(metadata):
            failures.append(f"{each.id} {_counted(usage)} {metadata}")
    _show(failures, total)


@pytest.mark.parametrize("profiled", [False, True])
def test_requests_come_back_equal(*, profiled: bool) -> None:
    """A request, in whichever spelling it was written, is the same JSON after decoding and encoding."""
    failures: list[str] = []
    total = 0
    for each in exchanges(WHOLE, STREAM):
        if not each.as_sent or each.status != 200:
            continue
        total += 1
        request = DIALECT.decode_request(each.request, each.model, stream=each.streaming)
        profile = profile_for(each.model, ROWS, DEFAULT) if profiled else DEFAULT
        addressee = to(each.model, profile)
        out = json.loads(json.dumps(PROVIDER.encode_request(request, addressee)))
        found = difference(each.request, out) or addressee.losses.warning()
        if found:
            failures.append(f"{each.id} {found}")
    _show(failures, total)


def test_errors_are_read() -> None:
    """Each recorded error body tells its message and its status."""
    failed = [each for each in exchanges(WHOLE, STREAM, "gemini.batchEmbedContents") if each.status != 200]
    for each in failed:
        error = read_error(each.body)
        assert error.message == each.json["error"]["message"]
        assert error.type == each.json["error"]["status"]
    assert failed


def test_counts_come_back_equal() -> None:
    """Requests for a count, and their answers, are the same JSON; the number is the reported one."""
    failures: list[str] = []
    all_of_them = [each for each in exchanges("gemini.countTokens") if each.status == 200]
    for each in all_of_them:
        request = ask_count(each.request, each.model)
        out = encode_count(request, to(each.model))
        usage = decode_count(each.json)
        found = difference(each.request, out) or difference(each.json, answer_count(usage))
        if found or usage.counts.input_tokens != each.json["totalTokens"]:
            failures.append(f"{each.id} {found}")
    _show(failures, len(all_of_them))


def test_embeddings_come_back_equal() -> None:
    """Requests for vectors, and their answers, are the same JSON, one or many."""
    failures: list[str] = []
    total = 0
    for each in exchanges("gemini.embedContent", "gemini.batchEmbedContents"):
        if each.status != 200:
            continue
        total += 1
        request = EmbedRequest(model=each.model)
        if each.as_sent:
            request = GEMINI_EMBED_DIALECT.decode_request(each.request, each.model)
            sent = GEMINI_EMBED.encode_request(request, to(each.model))
            if found := difference(each.request, sent):
                failures.append(f"{each.id} {found}")
        reply = GEMINI_EMBED.decode_reply(each.json, request)
        back = GEMINI_EMBED_DIALECT.encode_reply(reply, EmbedAsked(request, "m", "req_1"))
        vectors = each.json.get("embeddings") or [each.json["embedding"]]
        if (found := difference(each.json, back)) or len(reply.vectors) != len(vectors):
            failures.append(f"{each.id} {found}")
    _show(failures, total)
