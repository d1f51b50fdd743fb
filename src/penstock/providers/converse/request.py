"""A request as Converse takes it; the model and whether to stream are in the path (`wire.sigv4.model_path`)."""

from __future__ import annotations

from typing import Any

from penstock.core.chat import ChatRequest
from penstock.core.losses import Losses
from penstock.core.plain_turns import drop_names
from penstock.ports.translation import Addressee
from penstock.providers.converse.blocks import RequestBlocks
from penstock.providers.converse.conversation import encode_conversation
from penstock.providers.converse.profile import Family, family_of
from penstock.providers.converse.thinking import encode_thinking, excluded
from penstock.providers.converse.tools import encode_output, encode_tools, forces, own_output, own_tools
from penstock.shapes.converse.keep import is_own, kept, kept_object
from penstock.shapes.converse.names import allowed_metadata
from penstock.shapes.converse.reasoning import encode_own, is_own_reasoning

Fields = dict[str, Any]
_TIERS = {"default": "default", "standard_only": "default", "flex": "flex", "priority": "priority"}
_JSON_ONLY = "Answer with one JSON object and nothing else."
# Fields of a request that Converse has nothing for, and that change the answer.
_UNKNOWN = (
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "logit_bias",
    "verbosity",
    "audio",
    "previous_response_id",
)


def encode_request(request: ChatRequest, to: Addressee) -> Fields:
    """The body: as it was said where it was said in this shape, mended where it comes from another."""
    return _own(request, to) if is_own(request.extras) else _foreign(request, to)


def encode_count(request: ChatRequest, to: Addressee) -> Fields:
    """The body of `count-tokens`: what of a request counts."""
    body = encode_request(request, to)
    counted = ("messages", "system", "toolConfig", "additionalModelRequestFields")
    return {"input": {"converse": {name: body[name] for name in counted if name in body}}}


def _own(request: ChatRequest, to: Addressee) -> Fields:
    body = kept_object(request.extras, "rest")
    writer = RequestBlocks(family_of(to.model), to.profile.lacks, to.losses, own=True)
    turns: list[Fields] = []
    system: list[Fields] = []
    for message in request.messages:
        if message.role in ("system", "developer") and kept(message.extras, "form") != "turn":
            system += writer.blocks(message.parts)
            continue
        turn = kept_object(message.extras, "rest")
        turn["role"] = "user" if message.role == "tool" else message.role
        if message.parts or kept(message.extras, "absent") is None:
            turn["content"] = writer.blocks(message.parts)
        turns.append(turn)
    if system:
        body["system"] = system
    if turns or "messages" not in body:
        body["messages"] = turns
    inference = {**kept_object(request.extras, "inference"), **_inference(request)}
    if inference or kept(request.extras, "inference") is not None:
        body["inferenceConfig"] = inference
    tools = own_tools(request)
    if tools is not None:
        body["toolConfig"] = tools
    _own_model_fields(request, to, body)
    if request.service_tier is not None:
        body["serviceTier"] = {**kept_object(request.extras, "tier"), "type": request.service_tier}
    if request.metadata:
        body["requestMetadata"] = request.metadata
    return body


def _own_model_fields(request: ChatRequest, to: Addressee, body: Fields) -> None:
    """The model's own fields and outputConfig, with what the pivot knows of them."""
    additional, output = kept_object(request.extras, "additional"), kept_object(request.extras, "output")
    own_output(request, output)
    if request.reasoning is not None and is_own_reasoning(request.reasoning):
        encode_own(request.reasoning, additional, output)
    else:
        limit, family = request.max_output_tokens, family_of(to.model)
        additional |= encode_thinking(request.reasoning, limit, family, to.profile, to.losses)
    if request.top_k is not None:
        path = kept(request.extras, "top_k") or ["top_k"]
        if len(path) == 2:
            additional[path[0]] = {**(additional.get(path[0]) or {}), path[1]: request.top_k}
        else:
            additional[path[0]] = request.top_k
    if additional or kept(request.extras, "additional") is not None:
        body["additionalModelRequestFields"] = additional
    if output or kept(request.extras, "output") is not None:
        body["outputConfig"] = output


def _inference(request: ChatRequest) -> Fields:
    fields: Fields = {}
    if request.max_output_tokens is not None:
        fields["maxTokens"] = request.max_output_tokens
    if request.temperature is not None:
        fields["temperature"] = request.temperature
    if request.top_p is not None:
        fields["topP"] = request.top_p
    if request.stop:
        fields["stopSequences"] = list(request.stop)
    return fields


def _foreign(request: ChatRequest, to: Addressee) -> Fields:
    family, profile, losses = family_of(to.model), to.profile, to.losses
    drop_names(request.messages, losses)
    writer = RequestBlocks(family, profile.lacks, losses, own=False)
    system, turns = encode_conversation(request.messages, writer, profile.lacks, losses)
    if request.output is not None and request.output.kind == "json" and losses.map("output"):
        system = [*system, {"text": _JSON_ONLY}]
    thinking = encode_thinking(request.reasoning, request.max_output_tokens, family, profile, losses)
    if thinking and family == "claude" and (forces(request, profile) or _thought_is_missing(turns, thinking)):
        # Claude cannot be forced while it thinks: the tool that the caller insists on wins.
        # https://platform.claude.com/docs/en/build-with-claude/thinking-tool-workflows
        losses.drop("reasoning")
        thinking = {}
    refused = profile.lacks | excluded(thinking, request.top_p)
    additional = {**thinking, **_top_k(request, family, refused, losses)}
    tools = encode_tools(request, family, profile, losses)
    body: Fields = {"messages": turns}
    inference = _sampling(request, family, refused, to)
    output = encode_output(request.output, profile, losses)
    for name, value in (
        ("system", system),
        ("inferenceConfig", inference),
        ("toolConfig", tools),
        ("additionalModelRequestFields", additional),
        ("outputConfig", output),
        ("requestMetadata", allowed_metadata(request.metadata or {})),
    ):
        if value:
            body[name] = value
    tier = _TIERS.get(request.service_tier or "")
    if tier is not None:
        body["serviceTier"] = {"type": tier}
    _note_unknown(request, to)
    return body


def _thought_is_missing(turns: list[Fields], thinking: Fields) -> bool:
    """Whether an answer goes on, or its tools are answered, that lacks the thought which a budget needs."""
    if thinking["thinking"]["type"] != "enabled":
        return False
    last = next((turn for turn in reversed(turns) if turn["role"] == "assistant"), None)
    blocks: list[Fields] = last["content"] if last is not None else []
    goes_on = bool(turns) and (last is turns[-1] or any("toolUse" in block for block in blocks))
    return goes_on and bool(blocks) and "reasoningContent" not in blocks[0]


def _sampling(request: ChatRequest, family: Family, refused: frozenset[str], to: Addressee) -> Fields:
    """What of inferenceConfig the model takes, within its bounds; a refused default is no loss."""
    fields, losses = _inference(request), to.losses
    for name, field in (("temperature", "temperature"), ("top_p", "topP")):
        if field in fields and name in refused and fields.pop(field) != 1:
            losses.drop(name)
    top = to.profile.max_temperature
    if fields.get("temperature", 0) > top:
        if losses.map("temperature"):
            fields["temperature"] = top
        else:
            del fields["temperature"]
    stop = [each for each in request.stop if each and (family != "claude" or each.strip())]
    if len(stop) < len(request.stop):
        losses.drop("stop")
    if to.profile.max_stop is not None and len(stop) > to.profile.max_stop:
        losses.drop("stop")
        stop = stop[: to.profile.max_stop]
    fields.pop("stopSequences", None)
    return {**fields, "stopSequences": stop} if stop else fields


def _top_k(request: ChatRequest, family: Family, refused: frozenset[str], losses: Losses) -> Fields:
    """`top_k` stands among the model's own fields, where its family has it."""
    if request.top_k is None:
        return {}
    if "top_k" in refused or family not in ("claude", "nova", "mistral"):
        losses.drop("top_k")
        return {}
    return {"inferenceConfig": {"topK": request.top_k}} if family == "nova" else {"top_k": request.top_k}


def _note_unknown(request: ChatRequest, to: Addressee) -> None:
    """What Converse cannot be told."""
    for name in _UNKNOWN:
        if getattr(request, name):
            to.losses.drop(name)
    if request.seed == 0:
        to.losses.drop("seed")
    if request.choices is not None and request.choices > 1:
        to.losses.drop("choices")
    if request.logprobs or request.top_logprobs:
        to.losses.drop("logprobs")
    if request.parallel_tool_calls is False and request.tools:
        to.losses.drop("parallel_tool_calls")
    if any(each != "text" for each in request.modalities):
        to.losses.drop("modalities")
