"""Drives LlamaIndex's OpenAILike against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.program import FunctionCallingProgram
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike
from openai import AuthenticationError
from pydantic import BaseModel

PIXEL = b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"mild in {city}"


def connect(base_url, api_key, model):
    """A model, as the package's documents make one."""
    return OpenAILike(
        model=model,
        api_base=base_url + "/v1",
        api_key=api_key,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
        timeout=60,
    )


def main(base_url, api_key, models):
    """Make every kind of call once for every model."""
    got = {}
    for role, name in json.loads(models).items():
        model = connect(base_url, api_key, name)
        plain = model.chat([ChatMessage(role="system", content="Be brief."), ChatMessage("Hello")])
        pieces = [piece.delta for piece in model.stream_chat([ChatMessage("Hello")])]
        tool = FunctionTool.from_defaults(weather)
        picture = [TextBlock(text="What is it?"), ImageBlock(image=PIXEL, image_mimetype="image/png")]
        shape = FunctionCallingProgram.from_defaults(Forecast, prompt_template_str="Hello", llm=model)
        got[role] = {
            "plain": plain.message.content,
            "usage": [plain.raw.usage.prompt_tokens, plain.raw.usage.completion_tokens],
            "streamed": "".join(pieces),
            "tools": model.predict_and_call([tool], "Hello").response,
            "shaped": shape().model_dump(),
            "picture": model.chat([ChatMessage(role="user", blocks=picture)]).message.content,
        }
        try:
            connect(base_url, "sk-wrong", name).chat([ChatMessage("Hello")])
        except AuthenticationError as error:
            got[role]["wrong_key"] = error.status_code
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
