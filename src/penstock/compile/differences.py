"""What is different at one target, everywhere or at its place in a policy: parameters, output bound, prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import msgspec

from penstock.config.checks import OUTPUT_LIMIT, PROMPT_KEYS
from penstock.core.prompt_variant import PromptVariant
from penstock.core.target import Target

_CAP_PATHS = (
    ("max_tokens",),
    ("max_completion_tokens",),
    ("max_output_tokens",),
    ("generationConfig", "maxOutputTokens"),
    ("inferenceConfig", "maxTokens"),
    ("options", "num_predict"),
)


def target_with(target: Target, config: Mapping[str, Any]) -> Target:
    """The target with these parameters over its own."""
    fields = {
        name: msgspec.json.encode(value)
        for name, value in config.items()
        if name not in PROMPT_KEYS and name != OUTPUT_LIMIT
    }
    limit = config.get(OUTPUT_LIMIT)
    limits = [each for each in (limit, target.max_output_tokens) if each is not None]
    cap = _cap_in(config)
    return replace(
        target,
        set_fields={**target.set_fields, **fields},
        service_tier=(config["service_tier"] or "") if "service_tier" in config else target.service_tier,
        set_cap=target.set_cap if cap is None else cap,
        max_output_tokens=min(limits, default=None),
        prompt=_prompt(target.prompt, config),
    )


def variant_with(target: Target, config: Mapping[str, Any]) -> Target:
    """The target with the parameters of its place in a policy, told apart from other places."""
    digest = hashlib.sha256(msgspec.json.encode(config, order="deterministic")).hexdigest()[:12]
    return replace(target_with(target, config), variant=digest)


def _prompt(own: PromptVariant | None, config: Mapping[str, Any]) -> PromptVariant | None:
    if not any(name in config for name in PROMPT_KEYS):
        return own
    base = own or PromptVariant()
    return PromptVariant(
        config.get("system_prompt", base.system),
        config.get("system_prefix", base.prefix),
        config.get("system_suffix", base.suffix),
    )


def _cap_in(fields: Mapping[str, Any]) -> int | None:
    """The largest output bound among fields that are set, whichever API's they are."""
    found: list[int] = []
    for path in _CAP_PATHS:
        value: Any = fields
        for step in path:
            value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
        if isinstance(value, int) and not isinstance(value, bool):
            found.append(value)
    return max(found, default=None)
