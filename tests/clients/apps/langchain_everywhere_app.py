"""Drives LangChain's chat classes of three APIs against a base URL and prints what they got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = [
    {"type": "text", "text": "What is it?"},
    {"type": "image", "base64": PIXEL, "mime_type": "image/png"},
]


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


@tool
def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"mild in {city}"


def chat(api, base_url, api_key, model, **more):
    """The class of an API."""
    common = {"model": model, "api_key": api_key, "max_retries": 0, "timeout": 60, **more}
    if api == "anthropic":
        return ChatAnthropic(base_url=base_url, max_tokens=4000, **common)
    return ChatOpenAI(base_url=base_url + "/v1", use_responses_api=api == "responses", **common)


THINKING = {
    "anthropic": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "chat": {"reasoning_effort": "medium"},
    "responses": {
        "reasoning": {"effort": "medium", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    },
}


def loop(model):
    """A call and the answer to it, the message sent back as it came."""
    caller = model.bind_tools([weather])
    asked = HumanMessage("Hello")
    said = caller.invoke([asked])
    (call,) = said.tool_calls
    return caller.invoke([asked, said, ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])]).text


def exercise(api, base_url, api_key, name):
    """Every kind of call once."""
    model = chat(api, base_url, api_key, name)
    plain = model.invoke([("system", "Be brief."), ("user", "Hello")])
    whole, *pieces = model.stream("Hello")
    for piece in pieces:
        whole = whole + piece
    used = plain.usage_metadata
    shaped = model.with_structured_output(Forecast, method="json_schema").invoke("Hello")
    got = {
        "plain": plain.text,
        "usage": [used["input_tokens"], used["input_token_details"]["cache_read"], used["output_tokens"]],
        "streamed": whole.text,
        "tools": loop(model),
        "thinking": loop(chat(api, base_url, api_key, name, **THINKING[api])),
        "shaped": shaped.model_dump(),
        "picture": model.invoke([HumanMessage(content=PICTURE)]).text,
    }
    try:
        chat(api, base_url, "sk-wrong", name).invoke("Hello")
    except Exception as error:  # noqa: BLE001 - its kind is what is asked
        got["wrong_key"] = type(error).__name__
    return got


def main(base_url, api_key, models):
    """Each API in front of each vendor."""
    apis = ("chat", "responses", "anthropic")
    got = {
        role: {api: exercise(api, base_url, api_key, name) for api in apis}
        for role, name in json.loads(models).items()
    }
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
