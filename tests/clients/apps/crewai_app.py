"""Drives CrewAI against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

from crewai import LLM, Agent
from crewai.tools import tool
from openai import AuthenticationError
from pydantic import BaseModel


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


@tool("weather")
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"mild in {city}"


def connect(base_url, api_key, model, **more):
    """A model, as the package's documents make one for a server that speaks OpenAI's API."""
    return LLM(model="openai/" + model, base_url=base_url + "/v1", api_key=api_key, timeout=60, **more)


def agent(model, **more):
    """An agent around a model."""
    return Agent(role="Guide", goal="Help", backstory="You know cities.", llm=model, verbose=False, **more)


def asked(base_url, api_key, models):
    """Ask in words, in a stream, with a tool and for a shape, once for every model."""
    got = {}
    for role, name in json.loads(models).items():
        model = connect(base_url, api_key, name)
        plain = agent(model).kickoff("Hello")
        got[role] = {
            "plain": plain.raw,
            "usage": [plain.usage_metrics["prompt_tokens"], plain.usage_metrics["completion_tokens"]],
            "streamed": connect(base_url, api_key, name, stream=True).call("Hello"),
            "tools": agent(model, tools=[weather]).kickoff("Hello").raw,
            "shaped": agent(model).kickoff("Hello", response_format=Forecast).pydantic.model_dump(),
        }
        try:
            connect(base_url, "sk-wrong", name).call("Hello")
        except AuthenticationError as error:
            got[role]["wrong_key"] = error.status_code
    return got


def main(*words):
    """Keep the package's own words, which a thread of its draws in boxes, out of the result."""
    out, sys.stdout = sys.stdout, sys.stderr
    out.write(json.dumps(asked(*words)))


if __name__ == "__main__":
    main(*sys.argv[1:])
