"""Drives the `openai-agents` package against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import asyncio
import json
import sys

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


@function_tool
def weather(city: str) -> str:
    """Tell the weather."""
    return f"mild in {city}"


async def of_vendor(model):
    """A plain answer, a stream, a tool loop and a shape."""
    plain = await Runner.run(Agent(name="a", model=model), "Hello")
    streaming = Runner.run_streamed(Agent(name="a", model=model), "Hello")
    async for _ in streaming.stream_events():
        pass
    tools = await Runner.run(Agent(name="a", model=model, tools=[weather]), "Weather in Paris?")
    shaped = await Runner.run(Agent(name="a", model=model, output_type=Forecast), "Weather in Paris?")
    return {
        "plain": plain.final_output,
        "usage": [plain.context_wrapper.usage.input_tokens, plain.context_wrapper.usage.output_tokens],
        "streamed": streaming.final_output,
        "tools": tools.final_output,
        "shaped": shaped.final_output.model_dump(),
    }


async def main(url, key, models):
    """Everything, on both of the APIs that the package knows."""
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=url + "/v1", api_key=key)
    made = {"responses": OpenAIResponsesModel, "chat": OpenAIChatCompletionsModel}
    return {
        role: {api: await of_vendor(make(name, client)) for api, make in made.items()}
        for role, name in models.items()
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))))
