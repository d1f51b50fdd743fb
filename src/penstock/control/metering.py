"""Events for billing, through the eyes of who asks."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

from msgspec.structs import replace

from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.core.metering import Metered, MeteringError, MeteringQuery
from penstock.core.permissions import visible
from penstock.ports.ledger import LedgerError
from penstock.ports.metering import MeteringReader

PAGE = 1000


class Metering:
    """The ledger's events."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def page(self, asker: Asker, query: MeteringQuery) -> list[Metered]:
        """Up to `limit` events that the asker may see. Raises Denied."""
        query = seen_by(asker, query)
        with self._reader() as reader:
            return _page(reader, query) if reader is not None else []

    def all(self, asker: Asker, query: MeteringQuery) -> Iterator[Metered]:
        """All of them, page by page. Raises Denied, at once where the asker may see none."""
        return self._all(seen_by(asker, query))

    def _all(self, query: MeteringQuery) -> Generator[Metered]:
        query = replace(query, limit=PAGE)
        while True:
            # A connection for each page: between two of them others may run, in another thread.
            with self._reader() as reader:
                found = _page(reader, query) if reader is not None else []
            if not found:
                return
            yield from found
            query = replace(query, after=found[-1].cursor)

    @contextmanager
    def _reader(self) -> Generator[MeteringReader | None]:
        """None where there is no ledger yet."""
        if self._plane.metering is None:
            yield None
            return
        try:
            reader = self._plane.metering()
        except FileNotFoundError:
            yield None
            return
        except LedgerError as error:
            raise Denied("store_unavailable", f"the ledger cannot be read: {error}") from None
        with closing(reader):
            yield reader


def seen_by(asker: Asker, query: MeteringQuery) -> MeteringQuery:
    """The question, bound to what the asker may see. Raises Denied where that is nothing."""
    places = visible(asker.principal, "metering")
    if places == ():
        raise Denied("forbidden", f"{asker.principal.name} may not read what is billed")
    return replace(query, places=places)


def _page(reader: MeteringReader, query: MeteringQuery) -> list[Metered]:
    try:
        return reader.metered(query)
    except MeteringError as error:
        raise Denied("invalid_cursor", str(error)) from None
    except LedgerError as error:
        raise Denied("store_unavailable", f"the ledger cannot be read: {error}") from None
