"""Drives LangChain's OpenAI classes against a base URL and prints what they got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import os
import sys
from typing import Literal

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


class Weather(BaseModel):
    """The weather's unit."""

    unit: Literal["c", "f"]


@tool
def weather(unit: Literal["c", "f"]) -> str:
    """Tell the weather."""
    return f"Mild, in {unit}."


def main(base_url: str, api_key: str, model: str) -> None:
    """Make every kind of call once."""
    bias = json.loads(os.environ.get("TOOL_BIAS", "null"))
    common = {"base_url": base_url, "api_key": api_key, "model": model, "max_retries": 0, "timeout": 60}
    chat = ChatOpenAI(**common, temperature=0, seed=1, max_completion_tokens=20)
    whole = chat.invoke("Hello there, big world.")
    pieces = list(chat.stream("Hello there, big world.", stream_usage=True))
    streamed = pieces[0]
    for piece in pieces[1:]:
        streamed = streamed + piece
    biased = {"logit_bias": bias} if bias else {}
    caller = ChatOpenAI(**common, temperature=0, max_completion_tokens=150, **biased)
    called = caller.bind_tools([weather]).invoke("Hello")
    shaped = ChatOpenAI(**common, max_completion_tokens=90).with_structured_output(
        Weather, method="json_schema"
    )
    responses = ChatOpenAI(**common, use_responses_api=True, max_completion_tokens=20, temperature=0)
    vectors = OpenAIEmbeddings(
        base_url=base_url, api_key=api_key, model=model, check_embedding_ctx_length=False
    )
    got = {
        "chat": whole.content,
        "usage": whole.usage_metadata,
        "streamed": streamed.content,
        "streamed_usage": streamed.usage_metadata,
        "tool": called.tool_calls[0],
        "shaped": shaped.invoke("Hello").unit,
        "response": responses.invoke("Hello").text,
        "vectors": [len(vector) for vector in vectors.embed_documents(["one", "two"])],
    }
    try:
        ChatOpenAI(**{**common, "api_key": "sk-wrong"}).invoke("Hello")
    except Exception as error:  # noqa: BLE001 - its kind is what is asked
        got["error"] = type(error).__name__
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
