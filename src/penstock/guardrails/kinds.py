"""From a kind's name to what looks: the built-in detectors, and those that installed packages bring.

Detectors are imported when the first guard of their kind is compiled: a route without guards loads none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, cast

from penstock.config.document import Guard
from penstock.config.guard_kinds import GROUP, KINDS
from penstock.core.detector import Detector
from penstock.guardrails.settling import BySpaces

Make = Callable[[Guard], Detector]


def _made(place: str) -> Callable[..., Detector]:
    module, _, name = place.partition(":")
    return cast("Callable[..., Detector]", getattr(import_module(f"penstock.guardrails.{module}"), name))


def _secrets(guard: Guard) -> Detector:
    inner = _made("secrets.detector:SecretsDetector")(guard.entities or None, guard.threshold or 0.5)
    return BySpaces(inner, _WORD, "-----BEGIN", "-----END", "-----")


def _patterns(guard: Guard) -> Detector:
    return _made("simple.patterns:PatternDetector")(guard.patterns)


def _keywords(guard: Guard) -> Detector:
    return _made("simple.patterns:WordDetector")(guard.words)


def _brands(guard: Guard) -> Detector:
    return _made("simple.patterns:WordDetector")(guard.words, "BRAND")


def _phrases(guard: Guard) -> Detector:
    listed = import_module("penstock.guardrails.simple.patterns").PHRASES
    return _made("simple.patterns:WordDetector")((*listed, *guard.words), "INJECTED_PHRASE", strip=True)


def _length(guard: Guard) -> Detector:
    return _made("simple.measures:LengthDetector")(guard.min_chars, guard.max_chars)


def _urls(guard: Guard) -> Detector:
    return _made("simple.links:LinkDetector")(guard.allow, guard.deny)


def _untrusted(guard: Guard) -> Detector:
    del guard
    return _made("simple.measures:UntrustedDetector")()


# Kinds of personal data without spaces, and the reach of others: a street address, and words beside it.
_ONE_WORD = frozenset({"URL", "EMAIL_ADDRESS", "CRYPTO", "IP_ADDRESS", "MAC_ADDRESS"})
_ADDRESS, _WORD = 192, 96


def _pii(guard: Guard) -> Detector:
    inner = _made("pii.detector:PiiDetector")(guard.entities or None, guard.threshold or 0.5)
    wordy = not guard.entities or not set(guard.entities) <= _ONE_WORD
    return BySpaces(inner, _ADDRESS if wordy else _WORD)


def _injection(guard: Guard) -> Detector:
    return _made("injection.detector:InjectionDetector")(guard.threshold or KINDS["injection"].threshold)


def _encodings(guard: Guard) -> Detector:
    return _made("injection.encodings:EncodingDetector")(guard.entities or None)


def _leakage(guard: Guard) -> Detector:
    del guard
    return _made("leakage:LeakDetector")()


def _exfiltration(guard: Guard) -> Detector:
    return _made("exfiltration:ExfiltrationDetector")(guard.allow, guard.threshold or 0.5)


def _unsafe_output(guard: Guard) -> Detector:
    return _made("unsafe_output:UnsafeOutputDetector")(guard.threshold or 0.5)


BUILT_IN: Mapping[str, Make] = {
    "pii": _pii,
    "secrets": _secrets,
    "injection": _injection,
    "encodings": _encodings,
    "leakage": _leakage,
    "exfiltration": _exfiltration,
    "unsafe_output": _unsafe_output,
    "regex": _patterns,
    "keywords": _keywords,
    "brands": _brands,
    "phrases": _phrases,
    "length": _length,
    "urls": _urls,
    "untrusted": _untrusted,
}


class PluginError(ValueError):
    """A plugin's class cannot be loaded or made; the message says which, and why."""


@cache
def _plugin(kind: str) -> Callable[[dict[str, Any]], Detector]:
    for entry in entry_points(group=GROUP, name=kind):
        return cast("Callable[[dict[str, Any]], Detector]", entry.load())
    raise PluginError(f"no installed package brings a guard called {kind!r}")


def detector_of(guard: Guard) -> Detector:
    """The detector of a guard that asks nobody. Raises PluginError."""
    make = BUILT_IN.get(guard.kind)
    if make is not None:
        try:
            return make(guard)
        except ValueError as error:
            raise PluginError(str(error)) from error
    try:
        made = _plugin(guard.kind)(dict(guard.options))
        if int(made.look_behind) < 0 or not callable(made.look):
            raise TypeError("it has no look_behind and look")  # noqa: TRY301 - told like its own errors
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f"the plugin {guard.kind!r} cannot be used: {error}") from error
    return made
