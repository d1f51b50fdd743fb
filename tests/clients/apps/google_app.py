"""Drives the `google-genai` package against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import base64
import json
import sys

from google import genai
from google.genai import errors, types
from pydantic import BaseModel

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="weather",
            description="Tell the weather.",
            parameters=types.Schema(
                type="OBJECT", properties={"city": types.Schema(type="STRING")}, required=["city"]
            ),
        )
    ]
)
THINKING = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
HELLO = types.Content(role="user", parts=[types.Part(text="Hello")])


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


def usage(reply):
    """The numbers that a bill is made of."""
    used = reply.usage_metadata
    return [used.prompt_token_count, used.cached_content_token_count, used.candidates_token_count]


def plain(client, model):
    """One answer."""
    config = types.GenerateContentConfig(system_instruction="Be brief.", max_output_tokens=50)
    got = client.models.generate_content(model=model, contents="Hello", config=config)
    return {"text": got.text, "stop": got.candidates[0].finish_reason.name, "usage": usage(got)}


def streamed(client, model):
    """A stream, to its end."""
    chunks = list(client.models.generate_content_stream(model=model, contents="Hello"))
    said = "".join(chunk.text or "" for chunk in chunks)
    return {"text": said, "stop": chunks[-1].candidates[0].finish_reason.name, "usage": usage(chunks[-1])}


def first_turn(client, model, config, stream):
    """The model's content, gathered from a stream where one is asked for."""
    if not stream:
        return (
            client.models.generate_content(model=model, contents=[HELLO], config=config).candidates[0].content
        )
    parts = []
    for chunk in client.models.generate_content_stream(model=model, contents=[HELLO], config=config):
        parts += chunk.candidates[0].content.parts or []
    return types.Content(role="model", parts=parts)


def tools(client, model, stream, thinking):
    """A call and the answer to it, the model's parts sent back as they came."""
    config = types.GenerateContentConfig(
        tools=[WEATHER],
        thinking_config=THINKING if thinking else None,
        max_output_tokens=4000,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    said = first_turn(client, model, config, stream)
    call = next(part.function_call for part in said.parts if part.function_call)
    answer = types.FunctionResponse(id=call.id, name=call.name, response={"result": "mild"})
    turn = [HELLO, said, types.Content(role="user", parts=[types.Part(function_response=answer)])]
    second = client.models.generate_content(model=model, contents=turn, config=config)
    return {
        "name": call.name,
        "input": call.args,
        "thought": "".join(part.text or "" for part in said.parts if part.thought),
        "text": second.text,
    }


def automatic(client, model):
    """The SDK calls a function by itself."""

    def weather(city: str) -> str:
        """Tell the weather of a city."""
        return f"mild in {city}"

    config = types.GenerateContentConfig(tools=[weather])
    return client.models.generate_content(model=model, contents="Hello", config=config).text


def shaped(client, model):
    """A caller's own class."""
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=Forecast)
    return client.models.generate_content(model=model, contents="Hello", config=config).parsed.model_dump()


def picture(client, model):
    """An image in base64."""
    parts = [types.Part.from_bytes(data=PIXEL, mime_type="image/png"), types.Part(text="What is it?")]
    return client.models.generate_content(model=model, contents=types.Content(role="user", parts=parts)).text


def failing(call):
    """The kind of what a call raises."""
    try:
        call()
    except errors.APIError as error:
        return [type(error).__name__, error.code, error.status]
    return None


def connect(base_url, api_key):
    """A client, as the package's documents make one for another address."""
    return genai.Client(api_key=api_key, http_options=types.HttpOptions(base_url=base_url, timeout=60_000))


def main(base_url, api_key, models):
    """Make every kind of call once for every model."""
    client, wrong = connect(base_url, api_key), connect(base_url, "sk-wrong")
    got = {}
    for role, model in json.loads(models).items():
        got[role] = {
            "plain": plain(client, model),
            "streamed": streamed(client, model),
            "tools": [tools(client, model, stream, False) for stream in (False, True)],
            "thinking": [tools(client, model, stream, True) for stream in (False, True)],
            "automatic": automatic(client, model),
            "shaped": shaped(client, model),
            "picture": picture(client, model),
            "count": client.models.count_tokens(model=model, contents="Hello").total_tokens,
            "wrong_key": failing(lambda: plain(wrong, model)),  # noqa: B023 - called at once
        }
        if role in {"gemini", "openai"}:
            texts = [types.Content(parts=[types.Part(text=text)]) for text in ("one", "two")]
            vectors = client.models.embed_content(model=model, contents=texts)
            got[role]["vectors"] = [len(each.values) for each in vectors.embeddings]
    got["unknown_model"] = failing(lambda: plain(client, "no-such-model"))
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
