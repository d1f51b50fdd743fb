"""The openai SDK through the gateway, in front of the simulator."""

from __future__ import annotations

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread

KEY = "sk-test-gateway"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello there, how are you?"}]


def client(url: str, key: str = KEY) -> OpenAI:
    """An unmodified SDK client without retries of its own."""
    return OpenAI(base_url=url + "/v1", api_key=key, max_retries=0, timeout=20)


def test_a_chat_answer_equals_the_upstreams_and_is_priced(
    gateway: GatewayThread, simulator: SimulatorThread
) -> None:
    """A whole answer passes unchanged and its exchange is settled with the reported usage."""
    direct = client(simulator.url).chat.completions.create(model="echo", messages=HELLO)
    answer = client(gateway.url).chat.completions.create(model="sim/echo", messages=HELLO)
    assert answer.choices == direct.choices
    assert answer.usage == direct.usage
    exchange = gateway.exchanges()[0]
    assert exchange.outcome == "ok"
    assert answer.usage is not None
    facts = exchange.attempts[0]
    assert (facts.usage.input_tokens, facts.usage.output_tokens) == (
        answer.usage.prompt_tokens,
        answer.usage.completion_tokens,
    )
    assert facts.cost_nanousd == answer.usage.prompt_tokens * 1000 + answer.usage.completion_tokens * 2000


def test_a_stream_equals_the_upstreams_event_for_event(
    gateway: GatewayThread, simulator: SimulatorThread
) -> None:
    """A stream for which the client asked no usage shows none, though the gateway learnt it."""
    direct = list(client(simulator.url).chat.completions.create(model="echo", messages=HELLO, stream=True))
    through = list(client(gateway.url).chat.completions.create(model="sim/echo", messages=HELLO, stream=True))
    assert [c.model_dump(exclude={"model"}) for c in through] == [
        c.model_dump(exclude={"model"}) for c in direct
    ]
    facts = gateway.exchanges()[0].attempts[0]
    assert facts.usage_source == "reported"
    assert facts.usage.output_tokens > 0
