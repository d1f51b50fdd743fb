"""What a store of the ledger must be able to say in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from penstock.ports.ledger import Position


class Sql(Protocol):
    """A connection of a store that cannot write.

    `mark` stands for a value in a query; `tag` for the text of a tag whose name `bind_tag` makes a value of,
    and `note` for that of a note; `day` for the day of an exchange in UTC. `place` of an exchange is the later
    the later it was committed, and `settled` holds for those before which no other can come any more.
    """

    place: str
    settled: str

    mark: str
    tag: str
    note: str
    day: str

    def bind_tag(self, name: str) -> str:
        """The value that `tag` takes for a name."""
        ...

    def ask(self, query: str, values: Sequence[object]) -> Iterable[Sequence[Any]]:
        """Rows as tuples."""
        ...

    def ask_named(self, query: str, values: Sequence[object]) -> Iterator[Mapping[str, Any]]:
        """Rows by column, without holding all of them."""
        ...

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of this place's journal is projected."""
        ...

    def close(self) -> None:
        """Close it."""
        ...
