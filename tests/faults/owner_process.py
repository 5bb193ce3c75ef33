"""The process that the tests kill: owns a store and takes writes until it is told to stop.

`python -m tests.faults.owner_process FOLDER` says `ready` when it listens.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from hub.storage.sqlite import checkpoint
from hub.storage.sqlite.store import open_store


async def main(folder: str) -> None:
    checkpoint.START_PAGES = 100  # so that some kills hit a checkpoint
    store = open_store(folder)
    await store.listen()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    print("ready", flush=True)
    await stop.wait()
    await store.close()


asyncio.run(main(sys.argv[1]))
