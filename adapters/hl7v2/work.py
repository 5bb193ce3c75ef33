"""The work on one message: convert, store, settle, with the answer that its sender gets.

Called by `adapters.hl7v2.pipeline`, and with a message of a person's choice by tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from adapters.hl7v2.ack import acknowledge
from adapters.hl7v2.answers import note_answer, read_answer
from adapters.hl7v2.converted import Converted, Remark
from adapters.hl7v2.envelope import LARGE, is_acknowledgement
from adapters.hl7v2.following import following
from adapters.hl7v2.mapping.library import library
from adapters.hl7v2.pipeline import Job
from adapters.hl7v2.provenance import Origin
from adapters.hl7v2.reasons import Reason, write_reasons
from adapters.hl7v2.storing import store
from adapters.hl7v2.to_fhir import convert
from hub.context import Context, Tenant
from hub.errors import HubError, Issue, fault
from hub.interactions import Interactions
from hub.principal import Principal, Scope
from hub.storage.message_log import Mark, Settled

_MOST_REMARKS = 50
_EVERYTHING = (Scope("system", "*", frozenset("cruds")),)
_REUSED = Remark("hl7v2-control-id-reused", "MSH-10")


@lru_cache(maxsize=1024)
def principal_of(site: str) -> Principal:
    """Who acts when a site's messages are worked on; audit and Provenance show it."""
    name = f"hl7v2:{site}"
    return Principal(name, frozenset(("system",)), client=name, scopes=_EVERYTHING)


def _told(job: Job, remarks: Sequence[Remark]) -> str:
    """Remarks as the log keeps them; of very many the first."""
    told = (_REUSED, *remarks) if job.reused else remarks
    if not told:
        return ""
    return write_reasons(
        Reason(remark.id, remark.place, dict(remark.arguments)) for remark in told[:_MOST_REMARKS]
    )


class Worker:
    """Works on messages over one door (`adapters.hl7v2.pipeline.Work`)."""

    def __init__(self, door: Interactions, tenant: Tenant, base: str) -> None:
        """Ready at once.

        Args:
            door: The record.
            tenant: Whose.
            base: Of the hub's own references.
        """
        self._door, self._tenant, self._base = door, tenant, base

    async def __call__(self, job: Job) -> Settled:
        """Work on a message and settle it; see `Work`."""
        context = Context(
            self._tenant, principal_of(job.site.name), base=self._base, address=job.address
        )
        if is_acknowledgement(job.message):
            return await self._acknowledged(job, context)
        try:
            converted = await self._convert(job)
        except HubError as error:
            return await self._quarantine(job, context, error.issues)
        origin = Origin(job.row, job.header.sender, job.site.name)
        made: list[Settled] = []

        def settle(marks: tuple[Mark, ...], remarks: tuple[Remark, ...]) -> Settled:
            answer = acknowledge(job.header, "AA", zone=job.site.zone)
            now = context.now
            made.append(Settled(job.row, "stored", answer, now, _told(job, remarks), marks))
            return made[-1]

        outcome = await store(self._door, context, converted, origin, settle)
        if outcome.state == "quarantined":
            return await self._quarantine(job, context, outcome.issues)
        return made[-1]  # The one that went into the commit.

    async def _acknowledged(self, job: Job, context: Context) -> Settled:
        """Note what the application of a destination says of a message that it had accepted."""
        messages, tenant = self._door.store.messages, self._tenant.key
        raw = job.message.text.encode()
        answer = read_answer(raw)
        found = None
        if answer is not None:
            follow = following(self._door, lambda _: context)
            found = await note_answer(messages, tenant, answer, raw, follow, job.site.name)
        if found is None:
            issue = fault("not-found", "hl7v2-answer-unmatched", "MSA-2")
            return await self._quarantine(job, context, (issue,))
        now = context.now
        told = acknowledge(job.header, "AA", zone=job.site.zone)
        settled = Settled(job.row, "stored", told, now)
        await messages.settle(tenant, settled)
        return settled

    async def _convert(self, job: Job) -> Converted:
        """What the message says; a large one is read beside the event loop."""
        translate, maps = None, job.site.concept_maps.values()
        if maps:
            translate = await self._door.terminology.translator(self._tenant, maps)
        if job.size < LARGE:
            return convert(job.message, job.site, job.received, translate=translate)
        library(job.site, False).check()  # Nothing is compiled in two threads at once.
        return await asyncio.to_thread(
            convert, job.message, job.site, job.received, translate=translate
        )

    async def _quarantine(self, job: Job, context: Context, issues: Sequence[Issue]) -> Settled:
        answer = acknowledge(job.header, "AE", issues, zone=job.site.zone)
        now = context.now
        settled = Settled(job.row, "quarantined", answer, now, write_reasons(issues))
        await self._door.store.messages.settle(self._tenant.key, settled)
        return settled
