"""An OpenAI-shaped usage object as core Usage."""

from __future__ import annotations

from typing import Final

from penstock.core.usage import NO_TOOLS, NO_USAGE, ToolUse, Usage
from penstock.providers.openai.tools import tools_of_response, tools_of_usage
from penstock.shapes.billed import billed_nanousd, with_own_key
from penstock.shapes.openai import Answer, CostShape, InputDetails, Number, OutputDetails, UsageShape

_NO_INPUT: Final = InputDetails()
_NO_OUTPUT: Final = OutputDetails()


_LONGEST_S: Final = 1 << 40


def _n(count: Number | None) -> int:
    if count is None:
        return 0
    whole = count if isinstance(count, int) else int(count)
    return max(0, whole)


def usage_of(shape: UsageShape) -> Usage:
    """Counts as reported; absent ones are zero."""
    inside = shape.prompt_tokens_details or shape.input_tokens_details or _NO_INPUT
    outside = shape.completion_tokens_details or shape.output_tokens_details or _NO_OUTPUT
    given = shape.prompt_tokens if shape.prompt_tokens is not None else shape.input_tokens
    made = shape.completion_tokens if shape.completion_tokens is not None else shape.output_tokens
    if given is None and made is None:
        given = shape.total_tokens  # rerank at Jina and Voyage reports a total only
    thought, total = _n(outside.reasoning_tokens), _n(shape.total_tokens)
    if thought and (total == _n(given) + _n(made) + thought or thought > _n(made)):
        made = _n(made) + thought  # beside the completion: see shapes/openai_chat/usage.py
    cached = (
        _n(inside.cached_tokens)
        or _n(shape.prompt_cache_hit_tokens)
        or _n(shape.cached_tokens)
        or _n(shape.cache_read_input_tokens)
    )
    if cached > _n(given) or (cached and shape.audio_prompt_tokens is not None):
        given = _n(given) + cached  # beside the prompt
    return Usage(
        _n(given),
        _n(made),
        cached,
        _n(inside.cache_write_tokens)
        or _n(inside.cache_creation_tokens)
        or _n(shape.cache_creation_input_tokens),
        0,
        thought,
        _n(inside.audio_tokens),
        _n(outside.audio_tokens),
        _n(inside.image_tokens),
        _n(outside.image_tokens),
        1,
        0,
        int(min(max(shape.seconds, 0), _LONGEST_S) * 1000) if shape.seconds else 0,
    )


def cost_of(shape: UsageShape | None) -> int | None:
    """What the vendor says that it bills, in nano-dollars; None where it does not say."""
    if shape is None or (shape.cost is None and shape.cost_in_usd_ticks is None):
        return None
    cost = shape.cost
    said = billed_nanousd(cost.total_cost if isinstance(cost, CostShape) else cost, shape.cost_in_usd_ticks)
    if shape.is_byok and shape.cost_details is not None:
        return with_own_key(said, shape.cost_details.upstream_inference_cost)
    return said


def with_image(before: Usage | None, shape: UsageShape | None) -> Usage:
    """The usage of an image stream after one more image, whose event tells the output tokens of that image."""
    usage = usage_of(shape) if shape is not None else NO_USAGE
    sofar = before or NO_USAGE
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=sofar.output_tokens + usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        image_input_tokens=usage.image_input_tokens,
        image_output_tokens=sofar.image_output_tokens + (usage.image_output_tokens or usage.output_tokens),
        requests=1,
        images=sofar.images + 1,
    )


def tools_of_answer(answer: Answer) -> ToolUse:
    """What the vendor's own tools did for a whole answer."""
    if answer.object == "response":
        return tools_of_response(answer)
    return tools_of_usage(answer.usage) if answer.usage is not None else NO_TOOLS


def usage_of_answer(answer: Answer, endpoint: str) -> Usage | None:
    """The usage that a whole answer reports, or None where it reports none."""
    if endpoint.startswith("images."):
        made = len(answer.data or ())
        usage = usage_of(answer.usage) if answer.usage is not None else Usage(requests=1)
        return Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            image_input_tokens=usage.image_input_tokens,
            image_output_tokens=usage.image_output_tokens,
            requests=1,
            images=made,
        )
    if answer.usage is not None:
        tools = tools_of_answer(answer)
        return usage_of(answer.usage) if tools is NO_TOOLS else tools.added_to(usage_of(answer.usage))
    if answer.meta is not None and answer.meta.billed_units is not None:
        return Usage(requests=_n(answer.meta.billed_units.search_units) or 1)
    if endpoint == "moderations":
        return Usage(requests=1)
    if endpoint == "responses.input_tokens":
        return NO_USAGE
    return None
