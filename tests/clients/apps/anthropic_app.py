"""Drives the `anthropic` package against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

import anthropic
from anthropic import Anthropic
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "Hello"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WEATHER = {
    "name": "weather",
    "description": "Tell the weather.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
THINKING = {"type": "enabled", "budget_tokens": 1024}


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


def plain(client, model):
    """One message."""
    got = client.messages.create(model=model, max_tokens=50, system="Be brief.", messages=HELLO)
    return {"text": got.content[0].text, "stop": got.stop_reason, "usage": usage(got)}


def usage(message):
    """The numbers that a bill is made of."""
    used = message.usage
    return [used.input_tokens, used.cache_read_input_tokens, used.output_tokens]


def streamed(client, model):
    """The stream helper, its text and its final message."""
    with client.messages.stream(model=model, max_tokens=50, messages=HELLO) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    said = [block.text for block in final.content if block.type == "text"]
    return {"text": "".join(pieces), "final": said, "pieces": len(pieces), "usage": usage(final)}


def tools(client, model, stream, thinking):
    """A call and the answer to it, the assistant's blocks sent back as they came."""
    more = {"thinking": THINKING} if thinking else {}
    wish = {"model": model, "max_tokens": 4000, "tools": [WEATHER], **more}
    if stream:
        with client.messages.stream(messages=HELLO, **wish) as events:
            first = events.get_final_message()
    else:
        first = client.messages.create(messages=HELLO, **wish)
    call = first.content[-1]
    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "mild"}]}
    turn = [
        *HELLO,
        {"role": "assistant", "content": [block.to_dict() for block in first.content]},
        {"role": "user", "content": [result]},
    ]
    second = client.messages.create(messages=turn, **wish)
    return {
        "blocks": [block.type for block in first.content],
        "thought": getattr(first.content[0], "thinking", ""),
        "stop": first.stop_reason,
        "name": call.name,
        "input": call.input,
        "text": second.content[-1].text,
    }


def runner(client, model):
    """The SDK's own loop over a decorated function."""

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """Tell the weather.

        Args:
            city: Where.
        """
        return f"mild in {city}"

    loop = client.beta.messages.tool_runner(model=model, max_tokens=100, tools=[weather], messages=HELLO)
    return loop.until_done().content[0].text


def shaped(client, model):
    """`parse` with the caller's own class."""
    got = client.messages.parse(model=model, max_tokens=100, messages=HELLO, output_format=Forecast)
    return got.parsed_output.model_dump()


def picture(client, model):
    """An image in base64."""
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    got = client.messages.create(model=model, max_tokens=50, messages=[{"role": "user", "content": parts}])
    return got.content[0].text


def failing(call):
    """The kind of what a call raises."""
    try:
        call()
    except anthropic.APIStatusError as error:
        return [type(error).__name__, error.status_code, bool(error.request_id), error.body["type"]]
    return None


def main(base_url, api_key, models):
    """Make every kind of call once for every model."""
    client = Anthropic(base_url=base_url, api_key=api_key, max_retries=0, timeout=60)
    wrong = Anthropic(base_url=base_url, api_key="sk-wrong", max_retries=0, timeout=60)
    got = {}
    for role, model in json.loads(models).items():
        got[role] = {
            "plain": plain(client, model),
            "streamed": streamed(client, model),
            "tools": [tools(client, model, stream, False) for stream in (False, True)],
            "runner": runner(client, model),
            "shaped": shaped(client, model),
            "picture": picture(client, model),
            "count": client.messages.count_tokens(model=model, messages=HELLO).input_tokens,
            "wrong_key": failing(lambda: plain(wrong, model)),  # noqa: B023 - called at once
        }
        if role != "sim":
            got[role]["thinking"] = [tools(client, model, stream, True) for stream in (False, True)]
    strict = Anthropic(base_url=base_url, api_key=api_key, _strict_response_validation=True)
    got["listed"] = [model.id for model in strict.models.list()]
    got["unknown_model"] = failing(lambda: plain(client, "no-such-model"))
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
