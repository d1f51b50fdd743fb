"""Drives `instructor` around the `openai` package and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

import instructor
from openai import OpenAI
from pydantic import BaseModel


class Forecast(BaseModel):
    """A shape to be filled."""

    city: str
    celsius: int


HELLO = [{"role": "user", "content": "Hello"}]


def main(base_url, api_key, models):
    """Fill a class in every mode, whole and growing."""
    sdk = OpenAI(base_url=base_url + "/v1", api_key=api_key, max_retries=0)
    got = {}
    for role, model in json.loads(models).items():
        got[role] = {}
        for mode in (instructor.Mode.TOOLS, instructor.Mode.JSON_SCHEMA):
            client = instructor.from_openai(sdk, mode=mode)
            wish = {"model": model, "messages": HELLO, "response_model": Forecast, "max_retries": 0}
            whole, raw = client.chat.completions.create_with_completion(**wish)
            wish["response_model"] = instructor.Partial[Forecast]
            grown = list(client.chat.completions.create(**wish, stream=True))
            got[role][mode.name] = {
                "whole": whole.model_dump(),
                "grown": grown[-1].model_dump(),
                "usage": [raw.usage.prompt_tokens, raw.usage.completion_tokens],
            }
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
