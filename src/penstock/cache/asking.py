"""What a question wants to know: a person, a time, a place, a reason, a price, an amount, yes or no."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.cache.words import Word

_TIMES = frozenset({"time", "day", "date", "year", "month", "hour", "weekday"})
_PLACES = frozenset({"place", "location", "country", "city", "address"})
_PRICES = frozenset({"price", "cost", "costs", "fee", "fees", "charge", "charges", "fare", "rent"})
_OPENERS = frozenset(
    "is are was were am do does did can could may might must shall should will would has have had".split()  # noqa: SIM905
)
_MEASURES = {
    "long": "duration", "far": "distance", "often": "frequency", "old": "age", "tall": "height",
    "high": "height",
    "heavy": "weight", "fast": "speed", "big": "size", "large": "size", "many": "number", "early": "time",
    "late": "time", "soon": "time", "expensive": "price", "deep": "depth", "hot": "temperature",
}  # fmt: skip
_NOUNS = {
    "distance": "distance", "temperature": "temperature", "speed": "speed", "weight": "weight", "age": "age",
    "duration": "duration", "population": "number", "height": "height", "author": "person",
    "inventor": "person",
    "reason": "reason", "number": "number", "person": "person",
}  # fmt: skip
# Kinds that may ask the same: how many kilometres, how heavy is at most, a number of minutes.
_TOGETHER = {
    "number": frozenset({"duration", "distance", "weight", "size", "age", "price", "temperature"}),
    "time": frozenset({"duration", "temperature"}),
}
_SHARP = frozenset(
    {"person", "time", "place", "reason", "price", "duration", "distance", "temperature", "age", "speed"}
)


def wanted(side: Sequence[Word]) -> frozenset[str]:
    """Kinds of answers that are asked for; empty where that is open (how do I, tell me)."""
    plain = [word.plain for word in side]
    found: set[str] = set()
    for at, word in enumerate(plain):
        behind = plain[at + 1 : at + 4]
        if word in {"who", "whom", "whose"}:
            found.add("person")
        elif word == "when" and not found:
            found.add("time")
        elif word == "where":
            found.add("place")
        elif word == "why":
            found.add("reason")
        elif word == "how" and behind:
            found |= _how(behind, plain)
        elif word in {"what", "which"} and behind:
            found |= _what(behind)
    if not found and plain and plain[0] in _OPENERS:
        found.add("whether")
    return frozenset(found)


def _how(behind: list[str], plain: list[str]) -> set[str]:
    if behind[0] == "much":
        return (
            {"price"}
            if len(behind) > 1 and (behind[1] in {"is", "are", "does", "do"} or _PRICES & {*plain})
            else set()
        )
    kind = _MEASURES.get(behind[0])
    return {kind} if kind else set()


def _what(behind: list[str]) -> set[str]:
    if behind[0] in _TIMES:
        return {"time"}
    if behind[0] in _PLACES:
        return {"place"}
    if _PRICES & {*behind} - {"rent"}:
        return {"price"}
    return {_NOUNS[word] for word in behind if word in _NOUNS}


def apart(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether no answer to the one can be an answer to the other."""
    if not a or not b or a & b:
        return False
    if "whether" in a or "whether" in b:
        return bool((a | b) & (_SHARP - {"place", "person"}))
    if any(_TOGETHER.get(x, frozenset()) & b for x in a) or any(_TOGETHER.get(x, frozenset()) & a for x in b):
        return False
    return bool(a & _SHARP) and bool(b & _SHARP)
