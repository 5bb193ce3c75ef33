"""One process that answers requests: uvicorn with the hub's application and protocol.

Called by `hub.serve` for a single process and by `hub.supervisor` for each of several.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from hub.app import Hub, Role
from hub.errors import words_of
from hub.listening import bound
from hub.rest import logs
from hub.rest.protocol import HubProtocol, protocol_class
from hub.settings import Settings, SettingsError
from hub.storage.port import StoreUnavailable

STARTUP_FAILED = 3
"""Exit code of a process whose store cannot be opened: starting it again would not help."""

_BACKLOG = 2048
_TICKS_PER_SECOND = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker stands among others.

    Attributes:
        role: `owner` of the store, or `reader` that sends its commits to the owner.
        announce: It prints what to open.
        metrics_folder: Where workers share their metrics; None for a single one.
        supervisor: File descriptor that reads as ended when the supervisor is gone; None
            without one.
        told: File descriptor to write a byte to once requests are answered, -1 for none.
        beat: Called about once a second while the event loop runs.
        people: The demo's, a line each, to print.
    """

    role: Role = "owner"
    announce: bool = True
    metrics_folder: Path | None = None
    supervisor: int | None = None
    told: int = -1
    beat: Callable[[], None] = lambda: None
    people: str = ""


class HubServer(uvicorn.Server):
    """uvicorn's server: ends with an exit code, watches for late headers and the supervisor."""

    def __init__(self, config: uvicorn.Config, settings: Settings, place: Place) -> None:
        """Prepare.

        Args:
            config: uvicorn's.
            settings: With the real port.
            place: Where it stands.
        """
        super().__init__(config)
        self._settings, self._place = settings, place

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open everything, listen, and say so."""
        if self._place.supervisor is not None:
            asyncio.get_running_loop().add_reader(self._place.supervisor, self._stop)
        await super().startup(sockets)
        tune_collector()
        if self.started:
            hub = self.config.app
            assert isinstance(hub, Hub)
            tell_ready(self._place.told, hub.has_accounts)
            if self._place.announce:
                announce(self._settings, hub.has_accounts, hub.trial or self._place.people)

    def _stop(self) -> None:
        assert self._place.supervisor is not None
        asyncio.get_running_loop().remove_reader(self._place.supervisor)
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second; close connections whose headers are overdue."""
        if counter % _TICKS_PER_SECOND == 0:
            self._place.beat()
            now = asyncio.get_running_loop().time()
            unread: list[tuple[int, HubProtocol]] = []
            for connection in list(self.server_state.connections):
                if isinstance(connection, HubProtocol):
                    connection.close_if_late(now)
                    if waiting := connection.unread(now):
                        unread.append((waiting, connection))
            self._bound(unread)
        return await super().on_tick(counter)

    def _bound(self, unread: list[tuple[int, HubProtocol]]) -> None:
        """Leave the slowest readers when all together keep too much in memory."""
        total = sum(waiting for waiting, _ in unread)
        if total <= self._settings.body_budget:
            return
        for waiting, connection in sorted(unread, key=lambda one: one[0], reverse=True):
            connection.leave()
            total -= waiting
            if total <= self._settings.body_budget:
                break

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT; uvicorn would raise them again after a clean end."""
        before = {
            one: signal.signal(one, self.handle_exit) for one in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops gracefully; a second Ctrl-C does not wait."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def run(settings: Settings, place: Place) -> int:
    """Answer requests until a signal says stop.

    Args:
        settings: With the real port, which `hub.serve` has reserved.
        place: Where the worker stands.

    Returns:
        Exit code: 0, or `STARTUP_FAILED`.
    """
    writer = logs.start(settings.log_level)
    hub = Hub(settings, place.role, writer, place.metrics_folder)
    logging.getLogger("uvicorn.error").addFilter(lambda record: hub.failure is None)
    config = uvicorn.Config(
        hub,
        http=protocol_class(settings),
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # Whom to believe about addresses is `hub.rest.origin`'s.
        server_header=False,
        timeout_keep_alive=max(1, round(settings.keep_alive)),
        timeout_graceful_shutdown=max(1, round(settings.shutdown_grace)),
        backlog=_BACKLOG,
    )
    server = HubServer(config, settings, place)
    try:
        server.run([bound(settings.host, settings.port)])
    except SystemExit:
        if hub.failure is not None:
            _tell(hub.failure)
        return STARTUP_FAILED
    finally:
        writer.close()
    return 0


def _tell(failure: Exception) -> None:
    """Why the hub cannot start: a line for the administrator, a log entry for a mistake of ours."""
    if isinstance(failure, (SettingsError, StoreUnavailable)):
        sys.stderr.write(f"{failure}\n")
    elif isinstance(failure, OSError):
        sys.stderr.write(f"{words_of(failure)}\n")
    else:
        logging.getLogger("hub.serve").error("the hub cannot start", exc_info=failure)


def tune_collector() -> None:
    """Tables that never die are not looked at again: a third less time per request."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


NOBODY = b"?"
"""What a process that is ready tells when nobody can log in yet."""


def tell_ready(told: int, has_accounts: bool = True) -> None:
    """Tell whoever waits that this process is ready.

    Args:
        told: File descriptor, -1 when nobody waits.
        has_accounts: Somebody can log in.
    """
    if told >= 0:
        os.write(told, b"." if has_accounts else NOBODY)
        os.close(told)


def announce(settings: Settings, has_accounts: bool, people: str = "") -> None:
    """Print what to open, and how to get in.

    Args:
        settings: With the real port.
        has_accounts: Somebody can log in.
        people: Who was made to log in: of the demo, or of a store in memory.
    """
    site = settings.site
    lines = [
        f"Open    {site}/",
        f"FHIR    {settings.base}",
        f"Docs    {site}/docs",
        f"Health  {site}/health/ready",
    ]
    if settings.mllp:
        lines.append(f"HL7v2   mllp://{settings.mllp_host}:{settings.mllp}")
    if settings.auth == "off":
        lines.append("Authentication is OFF: everyone at this machine may do everything.")
    elif people:
        lines.append(people.rstrip())
    elif not has_accounts:
        lines.append(
            "Nobody can log in yet. Make the first administrator:\n"
            f"  fhir-hub account add NAME --role admin --data {shlex.quote(str(settings.data))}"
        )
    sys.stdout.write("\n".join((*lines, "Stop with Ctrl-C.", "")))
    sys.stdout.flush()
