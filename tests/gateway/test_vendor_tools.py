"""Fees for vendors' own tools, and the prices of models that they call: counted, priced, held, written down."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from penstock.adapters.prices.genai import compile_book
from penstock.core.exchange import AttemptFacts
from penstock.core.usage import Usage
from penstock.testing.gateway import GatewayThread
from tests.clients.plain import send
from tests.gateway.asking import KEY
from tests.translation.upstream import Answer, CannedUpstream, sse

CONFIG = """
version: 1
providers:
  openai: {{kind: openai, base_url: "{url}/v1", api_key: sk-test}}
  claude: {{kind: anthropic, base_url: "{url}", api_key: sk-ant-test}}
  google: {{kind: google, base_url: "{url}/v1beta", api_key: g-test}}
deployments:
  gpt:
    provider: openai
    model: gpt-6-sol
    price: {{input: 2, output: 8, per_web_search: 0.01, per_file_search: 0.0025, per_code_session: 0.03,
            region_factor: 1.1, inner: {{gpt-image-2: {{input: 5, output: 30}}}}}}
  sonnet:
    provider: claude
    model: claude-sonnet-5
    price: {{input: 3, output: 15, per_web_search: 0.01, inner: {{claude-opus-4-8: {{input: 5, output: 25}}}}}}
  flash: {{provider: google, model: gemini-2.5-flash, price: {{input: 0.3, output: 2.5,
          per_grounded_answer: 0.035}}}}
  pro: {{provider: google, model: gemini-3.1-pro, price: {{input: 2, output: 12, per_web_search: 0.014}}}}
  bare: {{provider: openai, model: gpt-6-sol, price: {{input: 2, output: 8}}}}
  voice: {{provider: openai, model: tts-1, price: {{characters: 15}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, direct: true{budget}}}
"""
BUDGET = ", budget: {usd: 1, window: month}"


def item(kind: str, **fields: Any) -> dict[str, Any]:
    """One item of a response's output."""
    return {"type": f"{kind}_call", "id": f"{kind}_1", "status": "completed", **fields}


SEARCH = {"type": "search", "query": "weather"}
RESPONSE: dict[str, Any] = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-6-sol", "status": "completed",
    "output": [
        item("web_search", action=SEARCH),
        item("web_search", action={"type": "open_page", "url": "https://example.com"}),
        item("file_search", queries=["a"], results=None),
        item("code_interpreter", container_id="cntr_1", code="1"),
        item("code_interpreter", container_id="cntr_1", code="2"),
        item("image_generation", result="aGk="),
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "Hi", "annotations": []}]},
    ],
    "tools": [{"type": "image_generation", "model": "gpt-image-2"}],
    "usage": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100},
    "tool_usage": {
        "web_search": {"num_requests": 2},
        "image_gen": {"input_tokens": 50, "output_tokens": 4000, "total_tokens": 4050,
                      "output_tokens_details": {"image_tokens": 4000}},
    },
}  # fmt: skip
# 1000 tokens at $2 and 100 at $8 a million, times 1.1; two searches, one of files, one container, the picture.
RESPONSE_USD = (
    Decimal(2800) / 10**6 * Decimal("1.1") + 2 * Decimal("0.01") + Decimal("0.0025") + Decimal("0.03")
    + Decimal(50 * 5 + 4000 * 30) / 10**6
)  # fmt: skip
MESSAGE: dict[str, Any] = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-5",
    "stop_reason": "end_turn", "stop_sequence": None, "content": [{"type": "text", "text": "4"}],
    "usage": {
        "input_tokens": 2390, "output_tokens": 121, "server_tool_use": {"web_search_requests": 3},
        "iterations": [
            {"type": "message", "input_tokens": 1128, "output_tokens": 110},
            {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 2518, "output_tokens": 22},
            {"type": "message", "input_tokens": 1262, "output_tokens": 11},
        ],
    },
}  # fmt: skip
MESSAGE_USD = (Decimal(2390 * 3 + 121 * 15) + Decimal(2518 * 5 + 22 * 25)) / 10**6 + 3 * Decimal("0.01")


def gemini(*queries: str) -> dict[str, Any]:
    """An answer of Gemini for which it asked the web this."""
    grounding = {"webSearchQueries": list(queries), "searchEntryPoint": {"renderedContent": "x"}}
    candidate = {"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110}
    return {"candidates": [candidate | {"groundingMetadata": grounding}], "usageMetadata": usage}


RESPONSES = {"input": "Hello", "store": False, "tools": [{"type": "web_search"}]}
MESSAGES = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 99}
CHAT = {"messages": [{"role": "user", "content": "Hello"}]}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}
DONE = sse({"type": "response.completed", "response": RESPONSE}, names=True)


def streamed_message() -> Answer:
    """The Anthropic message as a stream; what was consumed comes at its end."""
    usage = MESSAGE["usage"]
    start: dict[str, Any] = MESSAGE | {
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 1128, "output_tokens": 1},
    }
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    text = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "4"}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage}
    stop = {"type": "content_block_stop", "index": 0}
    return sse(
        {"type": "message_start", "message": start},
        block,
        text,
        stop,
        end,
        {"type": "message_stop"},
        names=True,
    )


STREAM = {"stream": True}
CASES: list[tuple[str, dict[str, Any], Answer, Decimal]] = [
    ("v1/responses", {"model": "gpt"} | RESPONSES, Answer(RESPONSE), RESPONSE_USD),
    ("v1/responses", {"model": "gpt"} | RESPONSES | STREAM, DONE, RESPONSE_USD),
    ("v1/messages", {"model": "sonnet"} | MESSAGES, Answer(MESSAGE), MESSAGE_USD),
    ("v1/messages", {"model": "sonnet"} | MESSAGES | STREAM, streamed_message(), MESSAGE_USD),
    ("v1/chat/completions", {"model": "sonnet"} | CHAT, Answer(MESSAGE), MESSAGE_USD),
    (
        "v1beta/models/flash:generateContent",
        CONTENTS,
        Answer(gemini("a", "b")),
        Decimal(100 * 3 + 10 * 25) / 10**7 + Decimal("0.035"),
    ),
    (
        "v1beta/models/pro:generateContent",
        CONTENTS,
        Answer(gemini("a", "", "b", "a")),
        Decimal(100 * 2 + 10 * 12) / 10**6 + 2 * Decimal("0.014"),
    ),
    (
        "v1beta/models/pro:streamGenerateContent?alt=sse",
        CONTENTS,
        sse(gemini("a"), gemini("b")),
        Decimal(100 * 2 + 10 * 12) / 10**6 + 2 * Decimal("0.014"),
    ),
]  # fmt: skip


def attempt_of(path: str, body: dict[str, Any], answer: Answer) -> AttemptFacts:
    """What is written down of one request."""
    with (
        CannedUpstream(answer) as upstream,
        GatewayThread(CONFIG.format(url=upstream.url, budget="")) as gateway,
    ):
        told = send(f"{gateway.url}/{path}", body, KEY)
        assert told.status == 200, told.body
        (settled,) = gateway.exchanges(1)
        (attempt,) = settled.attempts
        return attempt


@pytest.mark.parametrize(("path", "body", "answer", "usd"), CASES)
def test_what_tools_did_is_charged_to_the_nano_dollar(
    path: str, body: dict[str, Any], answer: Answer, usd: Decimal
) -> None:
    """Tokens by the answer's model, fees by use and without factors, other models at their own price."""
    attempt = attempt_of(path, body, answer)
    assert attempt.usage_source == "reported"
    assert attempt.cost_nanousd == int(usd * 10**9)


def test_the_counts_are_written_down() -> None:
    """Uses of tools stand in the usage, and the tokens of other models are among its tokens."""
    used = attempt_of("v1/responses", {"model": "gpt"} | RESPONSES, Answer(RESPONSE)).usage
    assert (used.web_searches, used.file_searches, used.code_sessions) == (2, 1, 1)
    assert (used.input_tokens, used.output_tokens, used.image_output_tokens) == (1050, 4100, 4000)
    advised = attempt_of("v1/messages", {"model": "sonnet"} | MESSAGES, Answer(MESSAGE)).usage
    assert (advised.input_tokens, advised.output_tokens, advised.web_searches) == (4908, 143, 3)


def test_a_use_without_a_price_leaves_the_attempt_unpriced() -> None:
    """A fee that nobody has told is not taken for nothing."""
    attempt = attempt_of("v1/responses", {"model": "bare"} | RESPONSES, Answer(RESPONSE))
    assert (attempt.cost_nanousd, attempt.usage.web_searches) == (None, 2)


def test_a_budget_refuses_a_tool_without_a_price() -> None:
    """Where a budget applies the request is turned away before it is sent, and told which price is missing."""
    with CannedUpstream(Answer(RESPONSE)) as upstream:
        config = CONFIG.format(url=upstream.url, budget=BUDGET)
        with GatewayThread(config) as gateway:
            told = send(f"{gateway.url}/v1/responses", {"model": "bare"} | RESPONSES, KEY)
            assert told.status >= 400
            assert "per_web_search" in str(told.body)
            assert upstream.asked == []
            told = send(f"{gateway.url}/v1/responses", {"model": "bare", "input": "x", "store": False}, KEY)
            assert told.status == 200, told.body


BROUGHT: list[tuple[str, dict[str, Any], Usage]] = [
    ("gpt", {"tools": [{"type": "web_search"}]}, Usage(web_searches=10)),
    ("gpt", {"tools": [{"type": "web_search"}], "max_tool_calls": 3}, Usage(web_searches=3)),
    ("gpt", {"tools": [{"type": "code_interpreter"}]}, Usage(code_sessions=1)),
    ("gpt", {"tools": [{"type": "file_search", "vector_store_ids": []}]}, Usage(file_searches=10)),
    ("sonnet", {"tools": [{"type": "web_search_20260209", "max_uses": 4}]}, Usage(web_searches=4)),
]


@pytest.mark.parametrize(("model", "tools", "uses"), BROUGHT)
def test_what_tools_may_cost_is_held(model: str, tools: dict[str, Any], uses: Usage) -> None:
    """The reservation has the fees of as many uses as the request allows, or as are usual."""
    path, body, answer = "v1/responses", {"input": "Hello", "store": False, "max_output_tokens": 10}, RESPONSE
    if model == "sonnet":
        path, body, answer = "v1/messages", MESSAGES | {"max_tokens": 10}, MESSAGE
    without = attempt_of(path, {"model": model} | body, Answer(answer)).reserved_nanousd
    held = attempt_of(path, {"model": model} | body | tools, Answer(answer)).reserved_nanousd
    fees = uses.web_searches * 10_000_000 + uses.file_searches * 2_500_000 + uses.code_sessions * 30_000_000
    assert held is not None
    assert without is not None
    assert fees <= held - without < fees + 1_000_000  # the tools are text of the prompt, too


def test_an_advisor_is_held_at_its_own_price() -> None:
    """Each use that is allowed: the request and the cap as input, its bound as output."""
    advisor = {
        "type": "advisor_20260301",
        "name": "advisor",
        "model": "claude-opus-4-8",
        "max_uses": 2,
        "max_tokens": 1024,
    }
    body = {"model": "sonnet"} | MESSAGES
    without = attempt_of("v1/messages", body, Answer(MESSAGE)).reserved_nanousd
    held = attempt_of("v1/messages", body | {"tools": [advisor]}, Answer(MESSAGE)).reserved_nanousd
    assert held is not None
    assert without is not None
    assert held - without >= 2 * (99 * 5_000 + 1024 * 25_000)


def test_speech_is_charged_by_its_characters() -> None:
    """A vendor that bills characters of the text: the count is ours, and exact."""
    answer = Answer(raw=b"RIFF", content_type="audio/mpeg")
    attempt = attempt_of(
        "v1/audio/speech", {"model": "voice", "input": "Grüße aus Köln", "voice": "nova"}, answer
    )
    assert (attempt.usage.characters, attempt.cost_nanousd) == (14, 14 * 15_000)
    assert attempt.reserved_nanousd == 14 * 15_000


def test_the_catalogue_has_the_fees() -> None:
    """Vendors' fees by use, from the catalogue and from our rows beside it."""
    book = compile_book()

    def rates(provider: str, model: str) -> Any:
        card = book.find(provider, model, 1_795_000_000_000)
        assert card is not None, model
        return card.rates

    cent = 10_000_000 * 10**6
    assert rates("openai", "gpt-6-sol").web_search == cent
    assert (rates("openai", "gpt-5").code_session, rates("openai", "gpt-5").file_search) == (
        3 * cent,
        cent // 4,
    )
    assert rates("anthropic", "claude-sonnet-5").web_search == cent
    old, new = rates("google", "gemini-2.5-flash"), rates("google", "gemini-3.1-pro-preview")
    assert (old.grounded_answer, old.web_search) == (cent * 35 // 10, None)
    assert (new.grounded_answer, new.web_search) == (None, cent * 14 // 10)
    assert (rates("x-ai", "grok-4.5").web_search, rates("x-ai", "grok-4.5").file_search) == (
        cent // 2,
        cent // 4,
    )
    assert rates("openai", "tts-1").characters == 15 * 10**9
