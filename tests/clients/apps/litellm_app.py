"""Drives LiteLLM's library by three APIs against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

import litellm

litellm.suppress_debug_info = True  # or its advice stands between the lines of our answer
HELLO = [{"role": "user", "content": "Hello"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = [
    {"type": "text", "text": "What is it?"},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def exercise(common):
    """Every kind of call once."""
    plain = litellm.completion(messages=HELLO, **common)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    pieces = list(litellm.completion(messages=HELLO, **options, **common))
    said = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
    first = litellm.completion(messages=HELLO, tools=[WEATHER], **common).choices[0].message
    (call,) = first.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "content": "mild"}
    second = litellm.completion(messages=[*HELLO, first, result], tools=[WEATHER], **common)
    seen = litellm.completion(messages=[{"role": "user", "content": PICTURE}], **common)
    got = {
        "plain": plain.choices[0].message.content,
        "usage": [plain.usage.prompt_tokens, plain.usage.completion_tokens],
        "streamed": said,
        "streamed_usage": [
            [piece.usage.prompt_tokens, piece.usage.completion_tokens]
            for piece in pieces
            if getattr(piece, "usage", None)
        ][-1],
        "call": [call.function.name, json.loads(call.function.arguments)],
        "tools": second.choices[0].message.content,
        "picture": seen.choices[0].message.content,
    }
    try:
        litellm.completion(messages=HELLO, **{**common, "api_key": "sk-wrong"})
    except litellm.AuthenticationError as error:
        got["wrong_key"] = error.status_code
    return got


def main(base_url, api_key, models):
    """Each API in front of each vendor."""
    bases = {"openai": base_url + "/v1", "anthropic": base_url, "gemini": base_url}
    got = {}
    for role, model in json.loads(models).items():
        got[role] = {
            api: exercise(
                {
                    "model": f"{api}/{model}",
                    "api_base": base,
                    "api_key": api_key,
                    "num_retries": 0,
                    "timeout": 60,
                }
            )
            for api, base in bases.items()
        }
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
