"""Run the hub as a server: one process, or a writer and several workers under a supervisor.

Called by `fhir-hub serve`.
"""

from __future__ import annotations

import asyncio
import resource
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.listening import claimed_port
from hub.settings import Settings

if TYPE_CHECKING:
    from hub.interactions import Interactions

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
    with ExitStack() as claims:
        port = claims.enter_context(
            claimed_port(settings.host, settings.port, "HUB_PORT", "--port")
        )
        settings = replace(settings, port=port)
        if settings.mllp:
            claims.enter_context(
                claimed_port(settings.mllp_host, settings.mllp, "HUB_MLLP", "--mllp")
            )
        _raise_file_limit()
        people = asyncio.run(_load_demo(settings)) if demo else ""
        if settings.workers > 1:
            from hub.supervisor import Supervisor

            return Supervisor(settings, people).run()
        from hub.worker import Place, run

        return run(settings, Place(people=people))


def _raise_file_limit() -> None:
    """Every connection is an open file; the usual soft limit of 1,024 is too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _load_demo(settings: Settings) -> str:
    """The demo set into an empty store, or the rest of one whose loading was broken off.

    Returns:
        A line for each of the demo's people who log in; "" while authentication is off.
    """
    from hub.app import open_door

    async with open_door(settings, "owner") as door:
        await _fill(door, settings)
        if settings.auth == "off" or settings.store != "sqlite":
            return ""
        from hub.access.front_desk import open_desk
        from hub.context import Tenant, utc_now
        from hub.loading.demo_accounts import demo_accounts

        desk = open_desk(door.store.ledger, Tenant().key)
        try:
            now = int(utc_now().timestamp() * 1000)
            return await demo_accounts(door, desk, settings.data, now)
        finally:
            desk.close()


async def _fill(door: Interactions, settings: Settings) -> None:
    from hub.loading.demo_accounts import is_outdated

    unfinished = settings.data / "demo.unfinished"
    holds = (await door.store.info(1)).versions
    if holds and not unfinished.exists() and not await is_outdated(door, settings.data):
        return
    from hub.demo.generate import DEFAULT_PATIENTS, DEFAULT_SEED
    from hub.loading.demo import load_demo
    from hub.loading.progress import count_progress

    unfinished.touch()
    with count_progress("Demo residents", DEFAULT_PATIENTS) as advance:
        await load_demo(door, DEFAULT_PATIENTS, DEFAULT_SEED, advance)
    unfinished.unlink()
