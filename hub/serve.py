"""Run the hub as a server: one process, or a writer and several workers under a supervisor.

Called by `fhir-hub serve`.
"""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hub.settings import Settings, SettingsError

_OPEN_FILES = 65_536


def serve(settings: Settings, *, demo: bool = False) -> int:
    """Serve until a signal says stop.

    Args:
        settings: How.
        demo: Load the demo set first when the store is empty.

    Returns:
        Exit code.

    Raises:
        SettingsError: The address or port cannot be taken.
        StoreUnavailable: The store cannot be opened.
    """
    with claimed_port(settings) as port:
        settings = replace(settings, port=port)
        _raise_file_limit()
        if demo:
            asyncio.run(_load_demo(settings))
        if settings.workers > 1:
            from hub.supervisor import Supervisor

            return Supervisor(settings).run()
        from hub.worker import Place, run

        return run(settings, Place())


@contextmanager
def claimed_port(settings: Settings) -> Iterator[int]:
    """Reserve the port, so that a second hub is told at once and port 0 becomes a number.

    Raises:
        SettingsError: The address is not ours, or somebody else listens there.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingsError(
                f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
                "Choose another with HUB_PORT or --port."
            ) from error
        port = int(probe.getsockname()[1])
    from hub.worker import bound

    # Bound but not listening: it gets no connections, but keeps others from taking the port.
    with bound(settings.host, port):
        yield port


def _raise_file_limit() -> None:
    """Every connection is an open file; the usual soft limit of 1,024 is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _load_demo(settings: Settings) -> None:
    """The demo set into an empty store, or the rest of one whose loading was broken off."""
    from hub.app import open_door

    unfinished = settings.data / "demo.unfinished"
    async with open_door(settings, "owner") as door:
        if (await door.store.info(1)).versions and not unfinished.exists():
            return
        from hub.demo.generate import DEFAULT_PATIENTS, DEFAULT_SEED
        from hub.loading.demo import load_demo
        from hub.loading.progress import count_progress

        unfinished.touch()
        with count_progress("Demo residents", DEFAULT_PATIENTS) as advance:
            await load_demo(door, DEFAULT_PATIENTS, DEFAULT_SEED, advance)
        unfinished.unlink()
