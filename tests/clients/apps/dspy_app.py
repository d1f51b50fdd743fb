"""Drives DSPy against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

import dspy
from dspy.utils.exceptions import LMAuthError


class Forecast(dspy.Signature):
    """Tell the weather of a city."""

    question: str = dspy.InputField()
    city: str = dspy.OutputField()
    celsius: int = dspy.OutputField()


def connect(base_url, api_key, model):
    """A model, as the package's documents make one."""
    return dspy.LM("openai/" + model, api_base=base_url + "/v1", api_key=api_key, cache=False, num_retries=0)


def main(base_url, api_key, models):
    """Ask in words and for a shape, once for every model."""
    got = {}
    for role, name in json.loads(models).items():
        model = connect(base_url, api_key, name)
        plain = model("Hello")
        usage = model.history[-1]["usage"]
        with dspy.context(lm=model, adapter=dspy.JSONAdapter()):
            shaped = dspy.Predict(Forecast)(question="Hello")
        got[role] = {
            "plain": plain[0],
            "usage": [usage["prompt_tokens"], usage["completion_tokens"]],
            "shaped": {"city": shaped.city, "celsius": shaped.celsius},
        }
        try:
            connect(base_url, "sk-wrong", name)("Hello")
        except LMAuthError as error:
            got[role]["wrong_key"] = "API key is not known here" in str(error)
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
