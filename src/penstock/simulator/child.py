"""The simulator as a child of `penstock serve`. Run as `python -m penstock.simulator.child`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import uvloop

from penstock.bootstrap import lifeline
from penstock.simulator import Settings, Simulator


def main() -> int:
    """Serve on the port in PENSTOCK_SIMULATOR_PORT until told to stop."""

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        descriptor = lifeline.inherited()
        if descriptor is not None:
            loop.add_reader(descriptor, stop.set)
        async with Simulator(Settings(), port=int(os.environ["PENSTOCK_SIMULATOR_PORT"])):
            await stop.wait()

    uvloop.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
