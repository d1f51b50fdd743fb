"""Free text of a custom tool, told piece by piece where arguments are always an object: its member `input`."""

from __future__ import annotations

import msgspec

_encode = msgspec.json.Encoder().encode


class FreeText:
    """Pieces of text to pieces of the object's JSON text."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def piece(self, text: str) -> str:
        """More of the text."""
        inner = _encode(text)[1:-1].decode()
        if self._begun:
            return inner
        self._begun = True
        return '{"input":"' + inner

    def end(self) -> str:
        """What closes the object."""
        return '"}' if self._begun else '{"input":""}'
