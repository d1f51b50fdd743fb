"""Drives the `mistralai` package against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

from mistralai.client import Mistral, errors
from pydantic import BaseModel

HELLO = [{"role": "user", "content": "Hello"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = [
    {"type": "text", "text": "What is it?"},
    {"type": "image_url", "image_url": f"data:image/png;base64,{PIXEL}"},
]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


def failing(call):
    """The status of what a call raises."""
    try:
        call()
    except errors.MistralError as error:
        return error.status_code
    return None


def main(base_url, api_key, models):
    """Make every kind of call once for every model."""
    got = {}
    client = Mistral(api_key=api_key, server_url=base_url)
    wrong = Mistral(api_key="sk-wrong", server_url=base_url)
    for role, model in json.loads(models).items():
        plain = client.chat.complete(model=model, messages=HELLO)
        pieces = [event.data for event in client.chat.stream(model=model, messages=HELLO)]
        first = client.chat.complete(model=model, messages=HELLO, tools=[WEATHER]).choices[0].message
        (call,) = first.tool_calls
        arguments = call.function.arguments
        result = {"role": "tool", "tool_call_id": call.id, "name": "weather", "content": "mild"}
        second = client.chat.complete(model=model, messages=[*HELLO, first, result], tools=[WEATHER])
        shaped = client.chat.parse(Forecast, model=model, messages=HELLO)
        seen = client.chat.complete(model=model, messages=[{"role": "user", "content": PICTURE}])
        got[role] = {
            "plain": plain.choices[0].message.content,
            "usage": [plain.usage.prompt_tokens, plain.usage.completion_tokens],
            "streamed": "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices),
            "streamed_usage": [
                [piece.usage.prompt_tokens, piece.usage.completion_tokens] for piece in pieces if piece.usage
            ],
            "call": [call.function.name, json.loads(arguments) if isinstance(arguments, str) else arguments],
            "tools": second.choices[0].message.content,
            "shaped": shaped.choices[0].message.parsed.model_dump(),
            "picture": seen.choices[0].message.content,
            "wrong_key": failing(lambda: wrong.chat.complete(model=model, messages=HELLO)),  # noqa: B023 - called at once
        }
    got["unknown_model"] = failing(lambda: client.chat.complete(model="no-such-model", messages=HELLO))
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
