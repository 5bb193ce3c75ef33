"""From what a message says to one transaction in the record.

Finds the resources by their identifiers, merges element by element, follows merged patients,
resolves references and commits resources, Provenance, marks and the end of the work on the
message together. What was read may change under it: then all of it is done again. Called by
`adapters.hl7v2.work`; docs/hl7v2/late-messages.md tells people what happens when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2 import referral_answers
from adapters.hl7v2.breathing import breath
from adapters.hl7v2.converted import Converted, Mapped, Remark
from adapters.hl7v2.held import Held, held_by_id, recall
from adapters.hl7v2.identities import Found, Identity, find_all, set_apart
from adapters.hl7v2.marks import Marks, Stamp, pack
from adapters.hl7v2.merged_elements import IDENTIFIER, Content, element_of, plain
from adapters.hl7v2.merged_patients import carry_over, chain, join, reached
from adapters.hl7v2.merging import Told, merge, with_edits
from adapters.hl7v2.places import entry, in_message, place_of
from adapters.hl7v2.provenance import Origin, Target, provenance
from hub.context import Context
from hub.errors import Gone, HubError, Issue, Unavailable, Unprocessable, fault
from hub.interactions import Accompanying, Interactions, sight
from hub.interactions.answer import resource_of
from hub.interactions.commit import Change, retried
from hub.interactions.conditional import find_one, read_condition
from hub.interactions.link_plan import Slot, slots
from hub.interactions.preconditions import Expected
from hub.interactions.unavailable import STOPS
from hub.interactions.url import parameters
from hub.model import body
from hub.model.identity import new_id
from hub.storage.message_log import ArrivalState, Mark, Settled
from hub.storage.port import ABSENT, PreconditionChanged

Settle = Callable[[tuple[Mark, ...], tuple[Remark, ...]], Settled]
"""Makes the end of the work on a message that was stored: with these marks, after these remarks."""

_PATIENT = "Patient"
_PASSING = frozenset(("lock-error", "transient", "too-costly"))
"""Codes of refusals that say nothing of the message: it is worked on again later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    Attributes:
        state: `stored`: it is settled; `quarantined`: nothing was stored, the caller settles it.
        written: The versions it has made, `Patient/ID/_history/2`; its Provenance last.
        remarks: What a person should see though it was stored.
        issues: Why it is quarantined; `location` is a field, `PID-5.1`, or a segment.
    """

    state: ArrivalState
    written: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    issues: tuple[Issue, ...] = ()


async def store(
    door: Interactions, ctx: Context, converted: Converted, origin: Origin, settle: Settle
) -> Outcome:
    """Put what a message says into the record, or say why not.

    Args:
        door: The record.
        ctx: The site as principal.
        converted: What it says; its references are changed.
        origin: Which message it is.
        settle: Makes the end of the work, for the commit.

    Raises:
        AlreadySettled: The message was settled before; nothing was stored.
        StoreUnavailable, Unavailable: Not now; nothing was stored, it can be tried again.
    """
    urls = frozenset(mapped.full_url for mapped in converted.resources)
    work = _Work(door, ctx, converted, origin, urls)
    try:
        return await retried(lambda: work.attempt(settle))
    except HubError as error:
        if error.status in STOPS or any(issue.code in _PASSING for issue in error.issues):
            raise Unavailable(error.issues) from error
        return Outcome("quarantined", issues=in_message(error, work.told))


@dataclass(slots=True)
class _Work:
    """One message on its way.

    Attributes:
        door: The record.
        ctx: The site.
        converted: What it says.
        origin: Which one it is.
        urls: All full URLs.
        links: The references of each resource that is wanted as they came, by full URL.
        found: What it is about.
        held: All resources that are in work, by reference.
        told: For each entry of the transaction the resources that went into it.
        guess: Whether to leave out searches (`find_all`): the commit tells when that was wrong.
    """

    door: Interactions
    ctx: Context
    converted: Converted
    origin: Origin
    urls: frozenset[str]
    links: dict[str, list[Slot]] = field(default_factory=dict)
    found: Found = field(default_factory=Found)
    held: dict[str, Held] = field(default_factory=dict)
    told: list[list[Mapped]] = field(default_factory=list)
    guess: bool = True

    async def attempt(self, settle: Settle) -> Outcome:
        """Once from reading to the commit, or twice when what was guessed may be wrong."""
        guess, self.guess = self.guess, False
        try:
            return await self._attempt(settle, guess)
        except HubError:
            if not (guess and self.found.guessed):
                raise
        return await self._attempt(settle, False)

    async def _attempt(self, settle: Settle, guess: bool) -> Outcome:
        self.told = []
        self.found = Found()
        answered = await referral_answers.match(self.door, self.ctx, self.converted, self.origin)
        about = None
        if answered is not None:
            about = await referral_answers.focus(self.door, self.ctx, answered, self.converted)
        self.found = await find_all(
            self.door, self.ctx, self.converted.resources, about or {}, guess=guess
        )
        by_url = {mapped.full_url: mapped for mapped in self.converted.resources}
        for joined in self.converted.joined:
            if self.found.held[joined.surviving] is self.found.held[joined.replaced]:
                set_apart(by_url[joined.surviving], self.found)
        self.held = {held.reference: held for held in self.found.held.values()}
        await self._recall(self.held.values())
        chains = await self._chains()
        await self._resolve(chains)
        for number, mapped in enumerate(self.converted.resources, 1):
            await breath(number)
            self._apply(mapped, self.found.held[mapped.full_url])
        await self._join()
        if answered is not None:  # Before the message is settled: after it nobody would come back.
            await self.door.store.messages.attempted(self.ctx.tenant.key, answered.row, "done")
        return await self._commit(settle)

    # --- reading ----------------------------------------------------------------------------

    async def _recall(self, held: Iterable[Held]) -> None:
        """Marks, with what people have changed and deleted meanwhile."""
        merged = {
            id(self.found.held[one.full_url])
            for one in self.converted.resources
            if one.how == "merge"
        }
        asked = [one for one in held if id(one) in merged or one.type == _PATIENT]
        await recall(self.door, self.ctx, asked)
        for number, one in enumerate(asked, 1):
            await breath(number)
            await self._note_edits(one)

    async def _note_edits(self, held: Held) -> None:
        stored, marks = held.stored, held.marks
        if stored is None:
            return
        if stored.deleted:
            held.marks = Marks(stored.version, Stamp(stored.updated, 0))
        elif marks.version > stored.version:  # Another message came between the two reads.
            raise PreconditionChanged(-1, ())
        elif marks.version and marks.version != stored.version:
            left = await sight.vread(self.door, self.ctx, held.type, held.id, marks.version)
            if left is not None and not left.deleted:
                before = plain(resource_of(left))
                held.marks = with_edits(held.type, marks, before, held.content, stored.updated)

    async def _hold(self, id: str) -> Held | None:
        """A Patient by id."""
        reference = f"{_PATIENT}/{id}"
        if reference not in self.held:
            held = await held_by_id(self.door, self.ctx, _PATIENT, id)
            if held is None:
                return None
            self.held[reference] = held
            await self._recall((held,))
        return self.held[reference]

    async def _chains(self) -> dict[str, list[Held]]:
        """By full URL of each patient the records that go on instead of it."""
        return {
            mapped.full_url: await chain(self.found.held[mapped.full_url], self._hold)
            for mapped in self.converted.resources
            if mapped.type == _PATIENT
        }

    async def _resolve(self, chains: dict[str, list[Held]]) -> None:
        """Point references to resources of the record.

        Raises:
            Unprocessable: One leads nowhere.
        """
        targets = {}
        for mapped in self.converted.resources:
            held = self.found.held[mapped.full_url]
            if mapped.full_url in chains:
                held = reached(chains[mapped.full_url], self._stamp(mapped))
            targets[mapped.full_url] = held.reference
        for number, mapped in enumerate(self.converted.resources, 1):
            await breath(number)
            if mapped.how != "merge" and self.found.held[mapped.full_url].is_there:
                continue  # It stays as it is.
            for slot in self._links(mapped):
                target = targets.get(slot.text)
                if target is None and slot.kind == "reference":
                    target = await self._elsewhere(mapped, slot.text)
                    targets[slot.text] = target
                if target is not None:
                    slot.holder[slot.key] = target

    def _links(self, mapped: Mapped) -> list[Slot]:
        """The references of a resource, found before any of them was changed."""
        if mapped.full_url not in self.links:
            self.links[mapped.full_url] = slots(mapped.resource, self.urls)
        return self.links[mapped.full_url]

    async def _elsewhere(self, mapped: Mapped, text: str) -> str:
        """What a reference becomes that is to nothing in the message."""
        type, mark, query = text.partition("?")
        if not mark:
            if text.startswith("urn:uuid:"):
                raise self._lost(mapped, text)
            return text
        condition = await read_condition(self.door, self.ctx, type, parameters(query))
        found = await find_one(self.door, self.ctx, condition)
        if found is None:
            raise self._lost(mapped, text)
        return f"{type}/{found.id}"

    def _lost(self, mapped: Mapped, text: str) -> Unprocessable:
        element = next((name for name, value in mapped.resource.items() if text in str(value)), "")
        place = place_of(mapped, element)
        return Unprocessable(fault("not-found", "hl7v2-reference-unknown", place))

    # --- merging ----------------------------------------------------------------------------

    def _stamp(self, mapped: Mapped) -> Stamp:
        return Stamp(mapped.event, self.origin.row)

    def _apply(self, mapped: Mapped, held: Held) -> None:
        """Let a resource of the message become part of the record's.

        Raises:
            Gone: A person has deleted it since what the message tells.
        """
        if mapped.how != "merge" and (held.is_there or held.told):
            return
        if mapped.how != "find" and mapped.event < held.deleted:
            place = place_of(mapped, IDENTIFIER)
            raise Gone(fault("deleted", "hl7v2-deleted", place, type=mapped.type))
        content = self._own(mapped)
        if mapped.how == "merge":
            told = Told(content, self._stamp(mapped), mapped.deleted, mapped.initial)
            made = merge(held.type, held.content, held.marks, told)
            held.content, held.marks = made.content, made.marks
            taken = made.taken
        else:
            held.content = content
            taken = frozenset(element_of(held.type, name) for name in content)
        held.told.append((mapped, taken))

    def _own(self, mapped: Mapped) -> Content:
        """What the message tells, without the identifiers that another resource carries."""
        others = self.found.elsewhere.get(mapped.full_url)
        identifiers = mapped.resource.get(IDENTIFIER)
        if not others or not isinstance(identifiers, list):
            return mapped.resource
        kept = [
            one
            for one in identifiers
            if Identity(mapped.type, one.get("system", ""), one.get("value", "")) not in others
        ]
        return {**mapped.resource, IDENTIFIER: kept}

    async def _join(self) -> None:
        """Merge patients, and pass on what merged ones were told."""
        by_url = {mapped.full_url: mapped for mapped in self.converted.resources}
        for joined in self.converted.joined:
            mapped = by_url[joined.replaced]
            surviving = self.found.held[joined.surviving]
            replaced = self.found.held[joined.replaced]
            place = place_of(mapped, IDENTIFIER)
            await join(surviving, replaced, self._stamp(mapped), self._hold, place)
        for mapped in self.converted.resources:
            if mapped.type == _PATIENT:
                await carry_over(mapped, self.found.held[mapped.full_url], self._hold)

    # --- committing -------------------------------------------------------------------------

    async def _commit(self, settle: Settle) -> Outcome:
        changes: list[Change] = []
        targets: list[Target] = []
        marks = list(self.found.names)
        for number, held in enumerate(list(self.held.values()), 1):
            await breath(number)
            change, reference = _change(held, entry(len(changes))), held.reference
            if change is not None:
                version = held.version + 1
                changes.append(change)
                targets.append(Target(f"{reference}/_history/{version}", held.told))
                self.told.append([mapped for mapped, _ in held.told])
            else:
                version = held.version
            if held.is_found_again:
                packed = pack(held.type, Marks(version, held.marks.floor, held.marks.stamps))
                if packed != held.remembered:
                    # The commit itself sees to it that what is new is new.
                    before = held.remembered if held.is_there else None
                    marks.append(Mark(reference, packed, before))
        remarks = (*self.converted.remarks, *self.found.remarks)
        settled = settle(tuple(marks), remarks)
        if not changes:
            await self.door.store.messages.settle(self.ctx.tenant.key, settled)
            return Outcome("stored", remarks=remarks)
        now = self.ctx.now
        own = provenance(self.converted, self.origin, targets, now)
        changes.append(_new("Provenance", new_id(), own, entry(len(changes))))
        self.told.append([])
        await self.door.write(
            self.ctx, changes, self.found.conditions, accompanying=Accompanying(message=settled)
        )
        written = (*(one.reference for one in targets), f"Provenance/{changes[-1].id}")
        return Outcome("stored", written, remarks)


def _change(held: Held, location: str) -> Change | None:
    """What has to be written of a resource; None when it says what is stored already."""
    if held.stored is None or not held.is_there:
        return _new(held.type, held.id, held.content, location) if held.told else None
    resource = _whole(held.type, held.id, held.content)
    if body.split(resource) == held.stored.tail:
        return None
    expected = Expected(held.stored.version, False)
    return Change("PUT", held.type, held.id, resource, expected, location)


def _new(type: str, id: str, content: dict[str, Any], location: str) -> Change:
    return Change("POST", type, id, _whole(type, id, content), Expected(ABSENT, False), location)


def _whole(type: str, id: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": type, "id": id} | content
