"""Where the targets of a document are, and when each is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from penstock.config import document as doc
from penstock.core.health_rules import HealthRule, Place, ProbeRule
from penstock.core.target import Target


def rule_of(config: doc.Health) -> HealthRule:
    """The document's words as a rule."""
    probe = config.probe
    return HealthRule(
        on=config.enabled,
        failures=config.failures,
        share=config.failure_share,
        calls=config.min_attempts,
        window_s=config.window_s,
        open_s=config.open_s,
        max_open_s=max(config.open_s, config.max_open_s),
        trials=config.trials,
        cooldown_s=config.cooldown_s,
        max_cooldown_s=config.max_cooldown_s,
        headroom=config.headroom,
        slow_factor=config.slow_factor,
        probe=ProbeRule(probe.every_s, probe.kind == "request", probe.timeout_s) if probe is not None else None,
    )


def places_of(document: doc.Document, targets: Iterable[Target]) -> Mapping[str, Place]:
    """By target id; `targets` are those of deployments and routes."""
    usual = rule_of(document.defaults.health)
    places: dict[str, Place] = {}
    for target in targets:
        deployment = document.deployments.get(target.id)
        own = deployment.health if deployment is not None else None
        rule = rule_of(own) if own is not None else usual
        places[target.id] = Place(target.provider, _region(document, target), rule)
    return places


def _region(document: doc.Document, target: Target) -> str:
    said = target.handling.facts.region if target.handling is not None else None
    provider = document.providers.get(target.provider)
    return said or (provider.region if provider is not None else None) or ""
