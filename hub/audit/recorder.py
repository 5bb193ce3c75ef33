"""Takes down what happened beside writes: reads, searches, refusals, logins.

A write is audited in the commit that makes it. Everything else is noted here in a buffer of the
process, before its answer is sent, and goes into the audit chain as one row for many events,
`FLUSH_AFTER` seconds after the first or once there are `FLUSH_AT`. When the store takes no rows
the buffer grows until it is full; then nothing is answered any more (503). A process notes its
start and its stop. One that dies without a stop loses what its buffer held, of the last quarter
of a second: whoever starts next finds its start without a stop and says so in the chain.

Made by `hub.app`, one for each process that answers requests; called by `hub.rest` (`add`) and
`hub.auth` (`access`).
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from hub.audit.kinds import kind_of
from hub.audit.patients import asked_for, patients_in
from hub.errors import Unavailable, fault
from hub.principal import Principal
from hub.storage.audit_keys import interaction_key
from hub.storage.port import AuditQuery, AuditRecord, Store, StoreUnavailable

FLUSH_AFTER = 0.25
FLUSH_AT = 512
FULL_AT = 8192
"""Events, where each `PATIENTS_PER_EVENT` patients of one count as another."""

PATIENTS_PER_EVENT = 16
RETRY_FIRST, RETRY_MOST = 0.25, 5.0
STOP_WITHIN = 5.0
LONGEST_QUERY = 4000
RUNS = 256
"""Starts, stops and unclean ends that a start looks back at."""

_LIFE = ("start", "stop", "unclean")
_CONDITIONAL = ("update-conditional", "patch-conditional", "delete-conditional")
_WRITES = frozenset(("create", "update", "patch", "delete", *_CONDITIONAL))
_SELF = b'"relation":"self","url":"'

log = logging.getLogger(__name__)


Event = tuple[int, Principal, str, str, str, int, str, str, tuple[bytes, ...], str]
"""Something noted: time, principal, request id, address, interaction, status, entity, query,
patients, reason. A plain tuple costs a third of a named one to make."""

_PATIENTS: Final = 8
"""Its place for the patients."""


def _now() -> int:
    return time.time_ns() // 1_000_000


class Recorder:
    """The audit of one process; see the module."""

    def __init__(self, store: Store, tenant: int = 1, clock: Callable[[], int] = _now) -> None:
        """Nothing is noted yet; use `recording`.

        Args:
            store: Where the chain is.
            tenant: Tenant key.
            clock: Milliseconds since the epoch.
        """
        self._store, self._tenant, self._clock = store, tenant, clock
        self._noted: list[Event] = []
        self._told: list[AuditRecord] = []
        self._weight = 0
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing = asyncio.Lock()
        self._run = f"process/{os.getpid()}.{_begun(os.getpid())}"

    # --- noting -----------------------------------------------------------------------------

    def add(
        self,
        principal: Principal,
        request_id: str,
        address: str,
        interaction: str,
        status: int,
        type: str = "",
        id: str = "",
        rest: str = "",
        query: str = "",
        body: bytes = b"",
        reason: str = "",
    ) -> None:
        """Note an answer of the FHIR API, before it is sent.

        Writes that were done are left out: their commit tells of them. Patients are those that
        the answer names.

        Args:
            principal: Who asked; any with the name "" when nobody knows.
            request_id: Correlates with log and answer.
            address: Network address of the client.
            interaction: As `hub.rest.routes` names it.
            status: HTTP status of the answer.
            type: Resource type of the path.
            id: Logical id of the path.
            rest: Version of a vread, type of a compartment search, `$name` of an operation.
            query: The query of the URL; a form is told by the answer's self link.
            body: The answer's content as JSON or XML; b"" for what is sent in pieces.
            reason: Why it was refused: a message id or a word.

        Raises:
            Unavailable: The buffer is full, for the store takes no rows; do not answer.
        """
        patients: tuple[bytes, ...] = ()
        if status < 400 and _is_in_commit(interaction, status, body):
            return
        # Only now: a write that was done is not told as refused.
        if self._weight >= FULL_AT:
            raise Unavailable(fault("transient", "audit-full"))
        if status < 400:
            if body:
                patients = patients_in(body)
            if not query and body and interaction.startswith("search"):
                query = _self_query(body)
        entity = f"{type}/{id}" if id else type
        if interaction == "vread":
            entity = f"{entity}/_history/{rest}"
        elif interaction == "operation":
            interaction = rest.lstrip("$")
        noted = self._noted
        if not noted and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_AFTER, self._wake.set)
        noted.append(
            (
                self._clock(),
                principal,
                request_id,
                address,
                interaction,
                status,
                entity,
                query,
                patients,
                reason,
            )
        )
        self._weight += 1 + len(patients) // PATIENTS_PER_EVENT
        if self._weight >= FLUSH_AT:
            self._wake.set()

    def access(
        self,
        event: str,
        *,
        ok: bool,
        account: str = "",
        client: str = "",
        patient: str = "",
        address: str = "",
        reason: str = "",
    ) -> None:
        """Note something at the front door.

        Args:
            event: One of `hub.audit.kinds.KINDS`: `login`, `token` ...
            ok: Whether it was let happen.
            account: Whose account, "" for none.
            client: Client id, "" for none.
            patient: Logical id of the launch context's patient.
            address: Network address it came from.
            reason: Why it was refused.

        Raises:
            Unavailable: The buffer is full.
        """
        principal = Principal(account, client=client)
        body = f'"Patient/{patient}"'.encode() if patient else b""
        self.add(principal, "", address, event, 200 if ok else 403, body=body, reason=reason)

    # --- writing ----------------------------------------------------------------------------

    async def flush(self) -> None:
        """Write what has been noted so far into the chain.

        Raises:
            StoreUnavailable: It could not be written; it is kept.
        """
        async with self._flushing:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            noted, self._noted = self._noted, []
            self._told += map(record_of, noted)
            while self._told:
                block = self._told[:FULL_AT]
                clock = max(self._clock(), max(one.time for one in block))
                await self._store.append_audit(self._tenant, block, clock)
                del self._told[: len(block)]
            self._weight = sum(
                1 + len(event[_PATIENTS]) // PATIENTS_PER_EVENT for event in self._noted
            )

    async def settled(self) -> None:
        """Wait until nothing is being written."""
        async with self._flushing:
            pass

    async def run(self) -> None:
        """Flush again and again; ends by being cancelled."""
        wait = RETRY_FIRST
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.flush()
                wait = RETRY_FIRST
            except StoreUnavailable as error:
                log.error("the audit cannot be written, %d wait: %s", self._weight, error.reason)
                await asyncio.sleep(wait)
                wait = min(2 * wait, RETRY_MOST)
                self._wake.set()

    # --- life -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Note that this process begins, and which ones have ended without a word.

        A damaged chain is no reason not to serve: what cannot be written waits, as later on.

        Raises:
            StoreUnavailable: Nothing can be written.
        """
        now = self._clock()
        try:
            for run in await self._unfinished():
                self._told.append(
                    AuditRecord(
                        "E", "unclean", "", "", "4", (run,), detail="audit-unclean", time=now
                    )
                )
            self._told.append(self._life("start"))
            await self.flush()
        except StoreUnavailable as error:
            if error.trouble != "damaged":
                raise
            log.error("the audit is damaged, `fhir-hub check` tells where: %s", error.reason)
            if not self._told:  # It could not even be read.
                self._told.append(self._life("start"))
            self._wake.set()

    async def stop(self) -> None:
        """Write what is left, and that this process ends."""
        self._told += map(record_of, self._noted)
        self._noted = []
        self._told.append(self._life("stop"))
        try:
            async with asyncio.timeout(STOP_WITHIN):
                await self.flush()
        except (StoreUnavailable, TimeoutError):
            log.error("the audit of the last moments could not be written")

    def _life(self, what: str) -> AuditRecord:
        return AuditRecord("E", what, "", "", "0", (self._run,), time=self._clock())

    async def _unfinished(self) -> list[str]:
        """Runs that have begun and not ended, and whose process is not there any more."""
        query = AuditQuery(keys=(tuple(map(interaction_key, _LIFE)),), count=RUNS)
        ended: set[str] = set()
        lost: list[str] = []
        seen = 0
        while seen < RUNS:
            page = await self._store.audit_rows(self._tenant, query)
            for row in page.rows:
                for record in reversed(row.records):
                    if record.interaction not in _LIFE or not record.entities:
                        continue
                    seen += 1
                    run = record.entities[0]
                    if record.interaction == "start" and run not in ended and not _alive(run):
                        lost.append(run)
                    ended.add(run)
            if page.next is None:
                break
            query = AuditQuery(before=page.next, keys=query.keys, count=RUNS)
        return lost


@asynccontextmanager
async def recording(store: Store, tenant: int = 1) -> AsyncIterator[Recorder]:
    """A recorder at work, until the block ends; inside the store's.

    Args:
        store: Where the chain is.
        tenant: Tenant key.

    Raises:
        StoreUnavailable: Nothing can be written.
    """
    recorder = Recorder(store, tenant)
    await recorder.start()
    flushing = asyncio.create_task(recorder.run())
    try:
        yield recorder
    finally:
        with suppress(TimeoutError):  # what is being written would else be written twice
            async with asyncio.timeout(STOP_WITHIN):
                await recorder.settled()
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
        await recorder.stop()


def record_of(event: Event) -> AuditRecord:
    """An event as the chain holds it."""
    time, principal, request_id, address, interaction, status, entity, query, named, reason = event
    patients = [id.decode() for id in named]
    type, _, rest = entity.partition("/")
    if type == "Patient" and rest:
        patients.append(rest.partition("/")[0])
    if query:
        patients += asked_for(type, query[:LONGEST_QUERY])
    return AuditRecord(
        kind_of(interaction).action,
        interaction,
        principal.name,
        request_id,
        outcome_of(status),
        (entity,) if entity else (),
        principal.client,
        principal.fhir_user,
        address,
        query[:LONGEST_QUERY],
        tuple(dict.fromkeys(patients)),
        reason if status < 400 else f"{status} {reason}".rstrip(),
        time,
    )


def outcome_of(status: int) -> str:
    """AuditEvent.outcome: success, refused or wrong (4), failed within the hub (8)."""
    if status < 400:
        return "0"
    return "8" if status >= 500 else "4"


def _is_in_commit(interaction: str, status: int, body: bytes) -> bool:
    """Whether the commit of what was done tells of all of it."""
    if interaction in _WRITES:
        return interaction != "create" or status != 200  # 200: If-None-Exist found it
    return interaction == "transaction" and not _shows(body)


def _shows(body: bytes) -> bool:
    """Whether a Bundle of responses holds resources."""
    return b'"resource":' in body or b"<resource>" in body


def _self_query(body: bytes) -> str:
    """The query of a searchset's self link."""
    at = body.find(_SELF)
    if at < 0:
        return ""
    start = at + len(_SELF)
    url = body[start : body.find(b'"', start)]
    return url.partition(b"?")[2].decode("utf-8", "replace")


def _begun(pid: int) -> int:
    """When a process began, in clock ticks since the machine started; 0 when there is none."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(said.rpartition(")")[2].split()[19])


def _alive(run: str) -> bool:
    """Whether a run's process is still there."""
    pid, _, begun = run.removeprefix("process/").partition(".")
    return pid.isdigit() and begun.isdigit() and 0 != _begun(int(pid)) == int(begun)
