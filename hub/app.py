"""The composition root: puts store, validation, interactions and edges together.

With `hub.cli` and `hub.serve` the only place that may import everything; what is not needed yet
is imported when it is. `open_door` serves the command line, `Hub` the web workers.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hub.settings import Settings

if TYPE_CHECKING:
    from hub.access.front_desk import FrontDesk
    from hub.access.tokens import Person, TokenVerifier
    from hub.interactions import Interactions
    from hub.interactions.ports import Announcer
    from hub.rest.authenticate import Guard
    from hub.rest.exchange import Application, Receive, Scope, Send
    from hub.rest.logs import LineWriter
    from hub.rest.metrics import Metrics
    from hub.rest.service import Service
    from hub.storage.port import Store

Role = Literal["owner", "reader", "auto"]

_BASE = b"/fhir"
_SLASH = ord("/")
_DISCOVERY = b"/fhir/.well-known/smart-configuration"


@asynccontextmanager
async def open_store(settings: Settings, role: Role) -> AsyncIterator[Store]:
    """The store that the settings name, closed at the end.

    Args:
        settings: `store`, `data`.
        role: `owner` takes the write connection and listens for the others' writes; `reader`
            sends its writes there; `auto` is the owner where there is none yet.

    Raises:
        StoreUnavailable: It cannot be opened, or another process owns it.
    """
    from hub.storage.port import StoreUnavailable

    store: Store
    if settings.store == "memory":
        from hub.storage.memory.store import MemoryStore

        store = MemoryStore()
    else:
        from hub.storage.sqlite.store import open_store as open_sqlite

        if role != "reader" and _is_lost(settings.data):
            raise StoreUnavailable(
                "the database file is missing or empty; put a backup in its place, or serve "
                "another folder"
            )
        sqlite = open_sqlite(settings.data, role=role)
        if sqlite.owner:
            await sqlite.listen()
        store = sqlite
    try:
        yield store
    finally:
        await store.close()


def _is_lost(folder: Path) -> bool:
    """Whether there was a store whose database is not there any more.

    The secret is made after the first opening, so it tells a store that was from one to come.
    """
    from hub.storage.sqlite.connect import DATABASE

    file = folder / DATABASE
    return (folder / "secret").exists() and not (file.exists() and file.stat().st_size)


def secret_of(folder: Path) -> bytes:
    """What keys cursors are encrypted with come from; made on first use, for its owner only.

    Args:
        folder: Data folder.
    """
    path = folder / "secret"
    try:
        found = path.read_bytes()
        if len(found) == 32:
            return found
    except FileNotFoundError:
        pass
    folder.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"secret.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_bytes(secrets.token_bytes(32))
    with suppress(FileExistsError):  # Whoever is first wins; the others read what it made.
        path.hardlink_to(fresh)
    fresh.unlink()
    return path.read_bytes()


def build_door(
    store: Store, settings: Settings, announcer: Announcer | None = None
) -> Interactions:
    """The door over a store.

    Args:
        store: Open.
        settings: Limits and switches.
        announcer: Tells other systems of what changes.
    """
    from hub.context import Tenant
    from hub.interactions import Interactions, RegistryHolder
    from hub.interactions.terminology import Terminology
    from hub.operations import OPERATIONS
    from hub.search.cursor import CursorCodec
    from hub.validation.validator import Validator

    secret = secrets.token_bytes(32) if settings.store == "memory" else secret_of(settings.data)
    terminology = Terminology(store)
    answers = terminology.answers(Tenant(zone=settings.zone))
    validator = Validator(terminology=answers, invariants=settings.validate_invariants)
    return Interactions(
        store,
        validator,
        RegistryHolder(store),
        settings,
        CursorCodec(secret),
        OPERATIONS,
        announcer,
        terminology,
    )


def announcer_of(settings: Settings) -> Announcer | None:
    """Tells the destinations of the site files of what changes; None when there is none.

    The hub announces, commands that load or repair do not.

    Args:
        settings: Where the site files are.

    Raises:
        SettingsError: One cannot be used.
    """
    if not any(settings.site_files.glob("*.toml")):
        return None
    from adapters.hl7v2.announcing import SiteAnnouncer
    from adapters.hl7v2.sites import read_sites

    announcer = SiteAnnouncer(read_sites(settings))
    return announcer if announcer.destinations else None


@asynccontextmanager
async def open_door(
    settings: Settings, role: Role = "auto", announcer: Announcer | None = None
) -> AsyncIterator[Interactions]:
    """The door to the record, for commands; works beside a running hub.

    Args:
        settings: `data` names the record.
        role: See `open_store`.
        announcer: Tells other systems of what changes.

    Raises:
        StoreUnavailable: It cannot be opened.
    """
    from hub.context import Context, Tenant
    from hub.interactions import index_state

    async with open_store(settings, role) as store:
        await index_state.note_if_new(store, Context(Tenant(zone=settings.zone)))
        yield build_door(store, settings, announcer)


def build_service(door: Interactions, settings: Settings) -> Service:
    """What the REST handlers work with.

    Args:
        door: The record.
        settings: Limits and switches.
    """
    from hub.definitions import compartment_names, resource_types
    from hub.rest.body import Budget
    from hub.rest.service import Service

    return Service(
        door,
        settings,
        door.operations,
        frozenset(resource_types()),
        frozenset(compartment_names()),
        Budget(settings.body_budget),
    )


@dataclass(frozen=True, slots=True)
class Entrance:
    """What decides who comes in, while authentication is on.

    Attributes:
        desk: Accounts, clients, grants, keys.
        person: Makes principals.
        verifier: Verifies tokens; one for all of a process, since it remembers.
    """

    desk: FrontDesk
    person: Person
    verifier: TokenVerifier


def build_entrance(door: Interactions, settings: Settings) -> Entrance:
    """The entrance to a record.

    Args:
        door: The record.
        settings: The address that tokens name.
    """
    from hub.access.front_desk import open_desk
    from hub.access.person import PersonReader
    from hub.context import Tenant

    desk = open_desk(door.store.ledger, Tenant().key)
    person = PersonReader(door.store, Tenant().key, zone=settings.zone, base=settings.base)
    return Entrance(desk, person, desk.verifier(person, settings.site, settings.base))


class Hub:
    """The ASGI application of one worker: `/fhir` to the dispatcher, the rest to the pages.

    Attributes:
        failure: Why it could not start.
        has_accounts: Whether somebody can log in, as far as that matters.
        trial: How to get into a store in memory, for whoever started it; "" for others.
    """

    def __init__(
        self,
        settings: Settings,
        role: Role = "owner",
        log: LineWriter | None = None,
        metrics_folder: Path | None = None,
    ) -> None:
        """Nothing is opened before the server's start-up event.

        Args:
            settings: With the port that is really listened on.
            role: See `open_store`.
            log: Where access lines go; None: nowhere.
            metrics_folder: Where several workers share their metrics; None for a single one.
        """
        self._settings, self._role, self._log = settings, role, log
        self._metrics_folder = metrics_folder
        self._stack = AsyncExitStack()
        self._fhir: Application | None = None
        self._pages: Application | None = None
        self._entrance: Entrance | None = None
        self.failure: Exception | None = None
        self.has_accounts, self.trial = True, ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on (ASGI)."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        target = self._pages
        if scope["type"] == "http":
            path = scope["raw_path"]
            below = path[:5] == _BASE and (len(path) == 5 or path[5] == _SLASH)
            if below and (path != _DISCOVERY or self._entrance is None):
                target = self._fhir
        assert target is not None
        await target(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        # Kept for whoever runs the server, who ends the process and tells the administrator.
        except Exception as error:  # noqa: BLE001
            self.failure = error
            await self._stack.aclose()
            await send({"type": "lifespan.startup.failed"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        """Open the record and put the edge together."""
        from hub.audit.recorder import recording
        from hub.background import background_jobs, hospital_messages, publish, running
        from hub.context import Tenant
        from hub.rest.authenticate import StrangerNotes, with_few_strangers
        from hub.rest.dispatcher import Dispatcher, RequestIds
        from hub.rest.logs import AccessLog
        from hub.rest.metrics import Metrics
        from hub.rest.origin import Edge
        from hub.rest.pages import Pages

        settings, enter = self._settings, self._stack.enter_async_context
        door = await enter(open_door(settings, self._role, announcer_of(settings)))
        if self._role == "owner":
            await enter(background_jobs(door, settings))
        service = build_service(door, settings)
        recorder = await enter(recording(door.store, Tenant().key))
        guard = await self._let_in(door)
        edge, metrics, ids = Edge(settings), Metrics(), RequestIds()
        if self._role == "owner":
            await enter(hospital_messages(door, settings, metrics))
        access = None
        if self._log is not None and settings.access_log:
            access = AccessLog(self._log.write)
            self._stack.callback(access.flush)
        folder = self._metrics_folder
        if folder is not None:
            await enter(running(publish(metrics, folder, door.store)))
        noting = recorder if settings.audit_reads else None
        self._fhir = Dispatcher(service, edge, metrics, access, ids, _BASE, guard, noting)
        record = with_few_strangers(recorder.access, StrangerNotes())
        console = await self._console(door, metrics, record)
        mounts = {"": console, "console": console, **self._sign_in(door, record)}
        self._pages = Pages(
            service, edge, metrics, access, ids, folder, guard=guard, mounts=mounts, record=record
        )

    def _sign_in(self, door: Interactions, record: Callable[..., None]) -> dict[str, Application]:
        """OAuth and SMART by the first segment of their paths; nothing while it is off."""
        from hub.rest.pages import Later

        settings, entrance = self._settings, self._entrance
        if entrance is None:
            return {}

        def load() -> Application:
            from hub.auth.app import build

            return build(
                entrance.desk,
                door,
                settings,
                person=entrance.person,
                verifier=entrance.verifier,
                record=record,
            )

        auth = Later(load)
        return {"auth": auth, ".well-known": auth, "fhir": auth}

    async def _console(
        self, door: Interactions, metrics: Metrics, record: Callable[..., None]
    ) -> Application:
        """The pages for people."""
        from hub.console import build_console, let_in

        settings, entrance = self._settings, self._entrance
        if entrance is None:
            return build_console(door, settings, metrics, self._metrics_folder, None, None, record)
        await let_in(entrance.desk.clients, settings)
        return build_console(
            door, settings, metrics, self._metrics_folder, entrance.desk, entrance.verifier, record
        )

    async def _let_in(self, door: Interactions) -> Guard | None:
        """Put the entrance together; None while authentication is off."""
        from hub.rest.authenticate import Guard

        settings = self._settings
        if settings.auth == "off":
            logging.getLogger(__name__).warning(
                "authentication is off: everyone who reaches %s may do everything", settings.site
            )
            return None
        from hub.context import utc_now

        self._entrance = entrance = build_entrance(door, settings)
        self._stack.callback(entrance.desk.close)
        now = int(utc_now().timestamp() * 1000)
        self.has_accounts = await entrance.desk.accounts.any(now)
        if settings.store == "memory" and not self.has_accounts:
            self.trial = await _trial(entrance.desk, settings.base, now)
        return Guard(entrance.verifier)


async def _trial(desk: FrontDesk, base: str, now: int) -> str:
    """An administrator of a store in memory, whose accounts no command can reach."""
    from hub.access.passwords import new_password
    from hub.access.personal_tokens import EVERYTHING, personal_token

    password = new_password()
    await desk.accounts.add("admin", password, now, roles=["admin"])
    token = await personal_token(desk, "admin", base, now, scope=EVERYTHING, lifetime=3600)
    return f"user: admin  password: {password}  (admin)\ntoken: {token}"
