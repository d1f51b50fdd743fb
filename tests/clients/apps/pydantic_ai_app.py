"""Drives Pydantic AI's models against a base URL and prints what they got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import asyncio
import base64
import json
import sys

from anthropic import AsyncAnthropic
from google.genai import Client
from google.genai.types import HttpOptions
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


THINKING = {
    "chat": {"openai_reasoning_effort": "medium"},
    "responses": {"openai_reasoning_effort": "medium", "openai_reasoning_summary": "auto"},
    "anthropic": {"anthropic_thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4000},
    "google": {"google_thinking_config": {"include_thoughts": True, "thinking_budget": 1024}},
}


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"mild in {city}"


def model_for(api, base_url, api_key, name):
    """The model class of an API, with the SDK that it stands on."""
    if api == "anthropic":
        sdk = AsyncAnthropic(base_url=base_url, api_key=api_key, max_retries=0)
        return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=sdk))
    if api == "google":
        sdk = Client(api_key=api_key, http_options=HttpOptions(base_url=base_url))
        return GoogleModel(name, provider=GoogleProvider(client=sdk))
    sdk = AsyncOpenAI(base_url=base_url + "/v1", api_key=api_key, max_retries=0)
    if api == "chat":
        return OpenAIChatModel(name, provider=OpenAIProvider(openai_client=sdk))
    # By itself it sends reasoning back for model names that it knows.
    profile = OpenAIModelProfile(openai_supports_encrypted_reasoning_content=True)
    return OpenAIResponsesModel(name, provider=OpenAIProvider(openai_client=sdk), profile=profile)


async def exercise(api, base_url, api_key, name):
    """Every kind of call once."""
    model = model_for(api, base_url, api_key, name)
    plain = await Agent(model, instructions="Be brief.").run("Hello")
    async with Agent(model).run_stream("Hello") as stream:
        streamed = [piece async for piece in stream.stream_text(delta=True, debounce_by=None)]
    tooled = await Agent(model, tools=[weather]).run("Hello")
    thought = await Agent(model, tools=[weather], model_settings=THINKING[api]).run("Hello")
    shaped = await Agent(model, output_type=Forecast).run("Hello")
    seen = await Agent(model).run(["What is it?", BinaryContent(data=PIXEL, media_type="image/png")])
    used = plain.usage
    used = used() if callable(used) else used
    got = {
        "plain": plain.output,
        "usage": [used.input_tokens, used.cache_read_tokens, used.output_tokens],
        "streamed": "".join(streamed),
        "tools": tooled.output,
        "thinking": thought.output,
        "shaped": shaped.output.model_dump(),
        "picture": seen.output,
    }
    try:
        await Agent(model_for(api, base_url, "sk-wrong", name)).run("Hello")
    except ModelHTTPError as error:
        got["wrong_key"] = error.status_code
    return got


async def all_of(base_url, api_key, models):
    """Each API in front of each vendor."""
    return {
        role: {
            api: await exercise(api, base_url, api_key, name)
            for api in ("chat", "responses", "anthropic", "google")
        }
        for role, name in json.loads(models).items()
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(all_of(*sys.argv[1:]))))
