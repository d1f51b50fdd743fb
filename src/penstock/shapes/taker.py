"""Take the known fields out of a JSON object; what nobody took is what only its own shape knows.

The one way in which every decoder reads foreign JSON. In a client's request a field of the wrong type is the
client's mistake (`strict`: ShapeError names the field); in a vendor's reply it is left where it is, since an
answer that a client could use must not fail because of something the gateway wanted to read in it.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.errors import ShapeError
from penstock.core.parts import Extras

# Far more answers, or tools, than an API gives or takes; what has more was not made to be read.
MOST = 4096


_LARGEST = 1.7e308


def real(value: float) -> float:
    """A number of JSON as a float; an integer that no float holds becomes the largest."""
    return float(min(max(value, -_LARGEST), _LARGEST))


def bounded(count: int, where: str) -> None:
    """Refuse a list whose members each cost a lot to read. Raises ShapeError."""
    if count > MOST:
        raise ShapeError(where, f"a list of at most {MOST}")


class Taker:
    """One JSON object being read. Each reader takes its member out of `rest`; null and absent are None.

    A member that is null stays in `rest`, so that the same shape gets it back.
    """

    __slots__ = ("rest", "strict", "where")

    def __init__(self, value: Any, where: str = "", *, strict: bool = False) -> None:
        if not isinstance(value, dict):
            raise ShapeError(where, "an object")
        self.rest: dict[str, Any] = dict(cast("dict[str, Any]", value))
        self.where = where
        self.strict = strict

    def path(self, name: str) -> str:
        """The path of a member, for an error."""
        return f"{self.where}.{name}" if self.where else name

    def _miss(self, name: str, wanted: str) -> None:
        if self.strict:
            raise ShapeError(self.path(name), wanted)

    def text(self, name: str) -> str | None:
        """A string."""
        value = self.rest.get(name)
        if isinstance(value, str):
            del self.rest[name]
            return value
        if value is not None:
            self._miss(name, "a string")
        return None

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self.rest.get(name)
        if isinstance(value, bool):
            del self.rest[name]
            return value
        if value is not None:
            self._miss(name, "true or false")
        return None

    def count(self, name: str) -> int | None:
        """A whole number of zero or more."""
        value = self.rest.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            del self.rest[name]
            return value
        if value is not None:
            self._miss(name, "a whole number of zero or more")
        return None

    def integer(self, name: str) -> int | None:
        """A whole number."""
        value = self.rest.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            del self.rest[name]
            return value
        if value is not None:
            self._miss(name, "a whole number")
        return None

    def number(self, name: str) -> float | None:
        """A number; one written as a whole number stays one."""
        value = self.rest.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            del self.rest[name]
            return value
        if value is not None:
            self._miss(name, "a number")
        return None

    def object(self, name: str) -> Taker | None:
        """An object, to be read in turn. What is left of it is the caller's to keep."""
        value = self.rest.get(name)
        if isinstance(value, dict):
            del self.rest[name]
            return Taker(value, self.path(name), strict=self.strict)
        if value is not None:
            self._miss(name, "an object")
        return None

    def value(self, name: str) -> dict[str, Any] | None:
        """An object as it is (a schema, …)."""
        value = self.rest.get(name)
        if isinstance(value, dict):
            del self.rest[name]
            return cast("dict[str, Any]", value)
        if value is not None:
            self._miss(name, "an object")
        return None

    def items(self, name: str) -> list[Any] | None:
        """A list as it is."""
        value = self.rest.get(name)
        if isinstance(value, list):
            del self.rest[name]
            return cast("list[Any]", value)
        if value is not None:
            self._miss(name, "a list")
        return None

    def objects(self, name: str) -> list[Taker] | None:
        """A list of objects, each to be read in turn; None, and left in place, where one is something else."""
        value = self.rest.get(name)
        if isinstance(value, list):
            members = cast("list[Any]", value)
            for at, member in enumerate(members):
                if not isinstance(member, dict):
                    self._miss(f"{name}[{at}]", "an object")
                    return None
            del self.rest[name]
            path = self.path(name)
            return [Taker(member, f"{path}[{at}]", strict=self.strict) for at, member in enumerate(members)]
        if value is not None:
            self._miss(name, "a list")
        return None

    def texts(self, name: str) -> tuple[str, ...] | None:
        """A list of strings."""
        value = self.rest.get(name)
        if isinstance(value, list):
            members = cast("list[Any]", value)
            if all(isinstance(member, str) for member in members):
                del self.rest[name]
                return tuple(members)
        if value is not None:
            self._miss(name, "a list of strings")
        return None

    def any(self, name: str) -> Any:
        """Any value but null, taken out."""
        value = self.rest.get(name)
        if value is not None:
            del self.rest[name]
        return value

    def need(self, name: str) -> str:
        """A string that must be there, whoever wrote the object."""
        value = self.text(name)
        if value is None:
            raise ShapeError(self.path(name), "a string")
        return value

    def extras(self, shape: str) -> Extras | None:
        """What nobody took."""
        return Extras(shape, self.rest) if self.rest else None


def extras_of(extras: Extras | None, shape: str) -> dict[str, Any]:
    """A fresh object with the fields of this shape, to be completed by its encoder; empty for a foreign one."""
    return dict(extras.fields) if extras is not None and extras.shape == shape else {}


def put(into: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Add the members that are not None."""
    into.update({name: value for name, value in members.items() if value is not None})
    return into
