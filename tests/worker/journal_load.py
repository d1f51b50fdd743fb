"""A gateway's writing without a gateway: opens and settles exchanges and says on stdout what it promised.

Run as a module with STATE_DIR BOOT FIRST; `s N` means sent upstream, `a N` answered in full.
"""

import itertools
import os
import sys
from pathlib import Path

from penstock.adapters.files.posix import PosixDirectory
from penstock.ledger.journal.settings import JournalSettings
from tests.ledger.doubles import FakeClock, make_journal, opened, settled

IN_FLIGHT = 5


def say(what: str, number: int) -> None:
    """One line, past all buffers."""
    os.write(1, f"{what} {number}\n".encode())


def main(state_dir: Path, boot: str, first: int) -> None:
    """Go on until killed, `IN_FLIGHT` exchanges at a time, a few in each turn."""
    clock = FakeClock()
    sizes = JournalSettings(segment_bytes=100_000, step_bytes=50_000)
    journal = make_journal(PosixDirectory(state_dir / "journal"), clock, boot=boot, settings=sizes)
    for start in itertools.count(first, IN_FLIGHT):
        numbers = range(start, start + IN_FLIGHT)
        for number in numbers:
            journal.append(opened(number), lambda number=number: say("s", number))
        clock.turn()
        for number in numbers:
            journal.append(settled(number), lambda number=number: say("a", number))
            if number % 2:
                clock.turn()
        clock.turn()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
