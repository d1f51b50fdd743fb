"""Drives boto3's bedrock-runtime client against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import base64
import json
import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
HELLO = {"role": "user", "content": [{"text": "Hello"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"toolSpec": {"name": "weather", "description": "Tell the weather.", "inputSchema": {"json": SCHEMA}}}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
FORECAST = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "celsius": {"type": "integer"}},
    "required": ["city", "celsius"],
    "additionalProperties": False,
}


def usage(reply):
    """The numbers that a bill is made of."""
    return [reply["usage"].get(name) for name in ("inputTokens", "cacheReadInputTokens", "outputTokens")]


def plain(client, model):
    """One answer."""
    got = client.converse(
        modelId=model, system=[{"text": "Be brief."}], messages=[HELLO], inferenceConfig={"maxTokens": 50}
    )
    said = got["output"]["message"]["content"][0]["text"]
    return {"text": said, "stop": got["stopReason"], "usage": usage(got)}


def grown(blocks, index, delta):
    """Put a delta of the stream to its block."""
    block = blocks.setdefault(index, {})
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta:
        use = block["toolUse"]
        use["input"] = use.get("input", "") + delta["toolUse"]["input"]
    else:
        thought = block.setdefault("reasoningContent", {"reasoningText": {}})["reasoningText"]
        for name, piece in delta["reasoningContent"].items():
            thought[name] = thought.get(name, "") + piece


def gathered(events):
    """A stream as the message that it tells."""
    blocks, reply = {}, {"pieces": 0}
    for event in events:
        ((kind, told),) = event.items()
        if kind == "contentBlockStart":
            blocks[told["contentBlockIndex"]] = {"toolUse": dict(told["start"]["toolUse"])}
        elif kind == "contentBlockDelta":
            reply["pieces"] += 1
            grown(blocks, told["contentBlockIndex"], told["delta"])
        elif kind == "messageStop":
            reply["stopReason"] = told["stopReason"]
        elif kind == "metadata":
            reply["usage"] = told["usage"]
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    content = [blocks[index] for index in sorted(blocks)]
    return {**reply, "output": {"message": {"role": "assistant", "content": content}}}


def streamed(client, model):
    """A stream, to its end."""
    got = gathered(client.converse_stream(modelId=model, messages=[HELLO])["stream"])
    said = got["output"]["message"]["content"][0]["text"]
    return {"text": said, "stop": got["stopReason"], "usage": usage(got)}, got["pieces"]


def tools(client, model, stream, thinking):
    """A call and the answer to it, the model's blocks sent back as they came."""
    wish = {"modelId": model, "toolConfig": {"tools": [WEATHER]}, "inferenceConfig": {"maxTokens": 4000}}
    if thinking:
        wish["additionalModelRequestFields"] = THINKING
    if stream:
        first = gathered(client.converse_stream(messages=[HELLO], **wish)["stream"])
    else:
        first = client.converse(messages=[HELLO], **wish)
    said = first["output"]["message"]
    call = next(block["toolUse"] for block in said["content"] if "toolUse" in block)
    result = {"toolUseId": call["toolUseId"], "content": [{"text": "mild"}]}
    turn = [HELLO, said, {"role": "user", "content": [{"toolResult": result}]}]
    second = client.converse(messages=turn, **wish)
    thoughts = [block["reasoningContent"] for block in said["content"] if "reasoningContent" in block]
    return {
        "name": call["name"],
        "input": call["input"],
        "stop": first["stopReason"],
        "thought": "".join(each["reasoningText"]["text"] for each in thoughts),
        "text": second["output"]["message"]["content"][-1]["text"],
    }


def shaped(client, model):
    """Structured output, by Converse's own field."""
    schema = {"jsonSchema": {"schema": json.dumps(FORECAST), "name": "forecast"}}
    output = {"textFormat": {"type": "json_schema", "structure": schema}}
    got = client.converse(modelId=model, messages=[HELLO], outputConfig=output)
    return json.loads(got["output"]["message"]["content"][-1]["text"])


def picture(client, model):
    """An image in base64."""
    parts = [{"image": {"format": "png", "source": {"bytes": PIXEL}}}, {"text": "What is it?"}]
    got = client.converse(modelId=model, messages=[{"role": "user", "content": parts}])
    return got["output"]["message"]["content"][0]["text"]


def failing(call):
    """The kind of what a call raises."""
    try:
        call()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return [type(error).__name__, error.response["Error"]["Code"], status]
    return None


def connect(base_url, api_key):
    """A client with an API key, as AWS documents it."""
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = api_key
    config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
    session = boto3.session.Session(region_name="us-east-1")
    return session.client("bedrock-runtime", endpoint_url=base_url, config=config)


def main(base_url, api_key, models):
    """Make every kind of call once for every model."""
    client = connect(base_url, api_key)
    got = {}
    for role, model in json.loads(models).items():
        got[role] = {
            "plain": plain(client, model),
            "streamed": streamed(client, model),
            "tools": [tools(client, model, stream, False) for stream in (False, True)],
            "thinking": [tools(client, model, stream, True) for stream in (False, True)],
            "shaped": shaped(client, model),
            "picture": picture(client, model),
        }
    got["unknown_model"] = failing(lambda: plain(client, "no-such-model"))
    wrong = connect(base_url, "sk-wrong")
    got["wrong_key"] = failing(lambda: plain(wrong, model))
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
