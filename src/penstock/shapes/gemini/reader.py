"""Read Google's JSON, in which every field has two spellings, and write it back as it was spelled.

The API takes `maxOutputTokens` and `max_output_tokens`, and one object where a list is meant. Both are read
alike; a note remembers which one it was, so that the same shape gets it back.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.parts import Extras
from penstock.shapes.gemini import SHAPE
from penstock.shapes.taker import Taker

_NAMES = (
    "systemInstruction", "generationConfig", "safetySettings", "toolConfig", "cachedContent", "serviceTier",
    "inlineData", "fileData", "mimeType", "fileUri", "displayName", "functionCall", "functionResponse",
    "executableCode", "codeExecutionResult", "toolCall", "toolResponse", "videoMetadata",
    "thoughtSignature", "mediaResolution", "partialArgs", "willContinue", "jsonPath",
    "functionDeclarations", "parametersJsonSchema", "functionCallingConfig", "allowedFunctionNames",
    "maxOutputTokens", "topP", "topK", "candidateCount", "stopSequences", "presencePenalty",
    "frequencyPenalty", "responseMimeType", "responseSchema", "responseJsonSchema", "responseLogprobs",
    "thinkingConfig", "thinkingBudget", "thinkingLevel", "includeThoughts", "responseModalities",
    "speechConfig", "finishReason", "finishMessage", "safetyRatings", "citationMetadata",
    "groundingMetadata", "avgLogprobs", "logprobsResult", "promptFeedback", "blockReason", "usageMetadata",
    "modelVersion", "responseId", "createTime", "generateContentRequest", "taskType",
    "outputDimensionality", "totalTokens", "cachedContentTokenCount", "embedContentConfig",
)  # fmt: skip


def _snake(name: str) -> str:
    return "".join([f"_{each.lower()}" if each.isupper() else each for each in name])


_CAMEL = {_snake(name): name for name in _NAMES if _snake(name) != name}
_SNAKE = {camel: snake for snake, camel in _CAMEL.items()}
_SNAKES = frozenset(_CAMEL)


class Reader(Taker):
    """A Taker for either spelling; members are asked for by their camelCase names."""

    __slots__ = ("notes",)

    def __init__(self, value: Any, where: str = "", *, strict: bool = False) -> None:  # pyright: ignore[reportMissingSuperCall]
        if not isinstance(value, dict):
            raise ShapeError(where, "an object")
        self.rest = cast("dict[str, Any]", value).copy()
        self.where = where
        self.strict = strict
        self.notes: dict[str, Any] = {}
        if not _SNAKES.isdisjoint(self.rest):
            self._respell()

    def _respell(self) -> None:
        old = self.rest
        self.rest = {}
        snakes: list[str] = []
        for name, value in old.items():
            camel = _CAMEL.get(name)
            if camel is None or camel in old:
                self.rest[name] = value
            else:
                self.rest[camel] = value
                snakes.append(camel)
        if snakes:
            self.notes["~snake"] = snakes

    def object(self, name: str) -> Reader | None:
        """An object, to be read in turn. What is left of it is the caller's to keep."""
        value = self.rest.get(name)
        if isinstance(value, dict):
            del self.rest[name]
            return Reader(value, self.path(name) if self.strict else "", strict=self.strict)
        if value is not None:
            self._miss(name, "an object")
        return None

    def raw(self, name: str) -> list[dict[str, Any]] | None:
        """A list of objects, or the one object that stands for it; anything else is left in place."""
        value = self.rest.get(name)
        if isinstance(value, dict):
            del self.rest[name]
            self.note("one", [*self.notes.get("~one", ()), name])
            return [cast("dict[str, Any]", value)]
        if isinstance(value, list):
            members = cast("list[Any]", value)
            for at, member in enumerate(members):
                if member.__class__ is not dict:
                    self._miss(f"{name}[{at}]", "an object")
                    return None
            del self.rest[name]
            return members
        if value is not None:
            self._miss(name, "a list")
        return None

    def member(self, value: dict[str, Any], name: str, at: int) -> Reader:
        """A reader for what `raw` gave."""
        return Reader(value, f"{self.path(name)}[{at}]", strict=True) if self.strict else Reader(value)

    def many(self, name: str) -> list[Reader] | None:
        """As `raw`, each to be read in turn."""
        members = self.raw(name)
        if members is None:
            return None
        return [self.member(value, name, at) for at, value in enumerate(members)]

    def filled(self, name: str) -> str:
        """A string; an empty one stays in place, since the pivot does not tell it from none."""
        return (self.text(name) or "") if self.rest.get(name) else ""

    def words(self, name: str) -> tuple[str, ...]:
        """A list of strings; an empty one stays in place, since the pivot does not tell it from none."""
        return self.texts(name) or () if self.rest.get(name) else ()

    def note(self, name: str, value: Any) -> None:
        """Remember how something was written."""
        self.notes["~" + name] = value

    def left(self) -> dict[str, Any]:
        """What nobody took, with the notes."""
        rest = self.rest
        if not rest and not self.notes:
            return rest
        foreign = [name for name in rest if name[:1] == "~"]
        if foreign:
            if self.strict:
                raise ShapeError(self.path(foreign[0]), "a field of the API")
            for name in foreign:
                del rest[name]
        rest.update(self.notes)
        return rest

    def extras(self, shape: str = SHAPE) -> Extras | None:
        """What nobody took, with the notes; None where there is neither."""
        left = self.left()
        return Extras(shape, left) if left else None

    def mark(self) -> Extras:
        """The extras even where they are empty: they say that the thing was written in this shape."""
        return Extras(SHAPE, self.left())


def opened(fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A fresh object to be completed by an encoder, and the notes that stood in it."""
    notes = {name: value for name, value in fields.items() if name[:1] == "~"}
    if not notes:
        return dict(fields), notes
    return {name: value for name, value in fields.items() if name[:1] != "~"}, notes


def closed(out: dict[str, Any], notes: dict[str, Any]) -> dict[str, Any]:
    """The completed object in the spelling, and with the single objects, that the notes remember."""
    if not notes:
        return out
    for name in notes.get("~one", ()):
        value = out.get(name)
        if isinstance(value, list) and len(cast("list[Any]", value)) == 1:
            out[name] = value[0]
    for name in notes.get("~snake", ()):
        if name in out:
            out[_SNAKE[name]] = out.pop(name)
    return out


def own(extras: Extras | None) -> bool:
    """Whether something was written in this shape."""
    return extras is not None and extras.shape == SHAPE


def own_fields(extras: Extras | None) -> dict[str, Any]:
    """The fields of this shape, to be opened by an encoder; empty for a foreign thing."""
    return extras.fields if extras is not None and extras.shape == SHAPE else {}
