"""The control process. Run as `python -m penstock.bootstrap.control`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path

from penstock.adapters.prices.cache import load_book
from penstock.bootstrap import lifeline
from penstock.bootstrap.plan_source import LazyBox
from penstock.bootstrap.state_dir import StateDir
from penstock.compile.access import sources_of
from penstock.config.document import Document
from penstock.control.publish import Publisher
from penstock.control.watch import ConfigWatch

LISTEN = "PENSTOCK_LISTEN"
PUBLISHED = "PENSTOCK_PUBLISHED"


def now_ms() -> int:
    """Wall time in milliseconds."""
    return time.time_ns() // 1_000_000


def publisher_for(state: StateDir, config: Path | None, listen: str | None) -> Publisher:
    """The publisher of an installation, with the catalogue of this version."""
    server = {"state_dir": str(state.root), **({"listen": listen} if listen else {})}
    return Publisher(
        config=config,
        snapshot=state.snapshot,
        admin_key=state.admin_key,
        env=os.environ,
        prices=load_book(state.cache),
        box=LazyBox(state.root, os.environ),
        server=server,
        published=lambda document: say_wanted(state, document),
    )


def say_wanted(state: StateDir, document: Document) -> None:
    """Leave word for the supervisor whether there are credentials that expire."""
    if any(sources_of(document, lambda secret: secret.resolve(os.environ))):
        state.credentials_wanted.touch(mode=0o600)
    else:
        state.credentials_wanted.unlink(missing_ok=True)


def main() -> int:
    """Watch the configuration until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    given = os.environ.get("PENSTOCK_CONFIG")
    config = Path(given) if given else None
    watch = ConfigWatch(
        publisher_for(state, config, os.environ.get(LISTEN)), config, now_ms, os.environ.get(PUBLISHED, "")
    )
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        watch.requested.set()

    def reload(*_: object) -> None:
        watch.requested.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGHUP, reload)
    lifeline.on_end(end)
    watch.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
