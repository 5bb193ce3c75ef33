"""The console put together: what `hub.web` may not import itself is handed to it here.

Called by `hub.app`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.access.clients import Clients
    from hub.access.front_desk import FrontDesk
    from hub.access.tokens import TokenVerifier
    from hub.interactions import Interactions
    from hub.rest.metrics import Metrics
    from hub.settings import Settings
    from hub.web.messages import MessageDesk
    from hub.web.pages import Console
    from hub.web.status import Load, Process


def build_console(
    door: Interactions,
    settings: Settings,
    metrics: Metrics,
    folder: Path | None,
    desk: FrontDesk | None,
    verifier: TokenVerifier | None,
    record: Callable[..., None],
) -> Console:
    """The application for `/` and `/console`.

    Args:
        door: The record.
        settings: How the hub runs.
        metrics: This process's numbers.
        folder: Where several workers share theirs; None for a single one.
        desk: Knows the apps; None while authentication is off.
        verifier: Verifies tokens, likewise.
        record: Takes refusals into the audit.
    """
    from importlib.metadata import version

    from hub.context import Tenant
    from hub.web.pages import Console, Entry
    from hub.web.status import Sources

    entry = None
    if desk is not None and verifier is not None:
        entry = Entry(verifier, desk.accounts, desk.clients, record)
    sources = Sources(
        door,
        settings,
        version("fhir-interop-hub"),
        _processes(metrics, folder),
        lambda: _loads(settings.data),
        Tenant(zone=settings.zone),
    )
    return Console(sources, entry, _desk(door, settings))


async def let_in(clients: Clients, settings: Settings) -> None:
    """Let the console log people in.

    Args:
        clients: The clients.
        settings: The hub's address.
    """
    from hub.context import utc_now
    from hub.web.client import ensure_client

    await ensure_client(clients, settings.site, int(utc_now().timestamp() * 1000))


def _desk(door: Interactions, settings: Settings) -> Callable[[], MessageDesk] | None:
    """Who looks after HL7 v2 messages, loaded when somebody does; None where there are none."""
    if not settings.mllp and not any(settings.site_files.glob("*.toml")):
        return None

    @cache
    def desk() -> MessageDesk:
        from adapters.hl7v2.message_desk import MessageDesk
        from adapters.hl7v2.sites import read_sites

        return MessageDesk(door.store, read_sites(settings))

    return desk


def _processes(metrics: Metrics, folder: Path | None) -> Callable[[], Sequence[Process]]:
    from hub.rest.metrics import others
    from hub.web.status import Process

    def now() -> Sequence[Process]:
        found = [metrics.snapshot(), *(others(folder) if folder is not None else ())]
        return [
            Process(
                one.worker,
                int(one.gauges.get("process_resident_memory_bytes", 0)),
                sum(sum(row) for _, _, row, _ in one.rows),
                one.unexpected,
            )
            for one in found
            if one.worker == os.getpid() or Path(f"/proc/{one.worker}").exists()
        ]

    return now


def _loads(data: Path) -> Sequence[Load]:
    from hub.loading.unfinished import unfinished_loads
    from hub.web.status import Load

    return [
        Load(
            one.running,
            one.changed,
            one.state.created,
            one.state.updated,
            one.state.unchanged,
            one.state.rejected,
        )
        for one in unfinished_loads(data)
    ]
