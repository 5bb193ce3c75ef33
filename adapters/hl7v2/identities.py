"""Which resources of the record a message is about: found by identifiers, each once.

First the directory: marks that say where an identifier led before, one read for a whole message;
what they say is believed only when the resource still carries the identifier. Then one search for
all the rest of a type, or the guess that it would find nothing, which is right but for what came
to the record by another way. Where nothing is found or guessed the commit checks that this is so
(`Found.conditions`), so that two messages never both create. Called by `adapters.hl7v2.storing`.
Spec: https://hl7.org/fhir/R4/http.html#ccreate
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from adapters.hl7v2.breathing import breath, slices
from adapters.hl7v2.converted import Mapped, Remark
from adapters.hl7v2.held import Held
from adapters.hl7v2.merged_elements import IDENTIFIER, Content, plain
from adapters.hl7v2.places import place_of
from hub.context import Context
from hub.errors import Conflict, fault
from hub.interactions import Interactions, sight
from hub.interactions.answer import resource_of
from hub.interactions.conditional import find, read_condition
from hub.interactions.registry import Definitions
from hub.model.identity import new_id
from hub.storage.message_log import Mark
from hub.storage.port import Matches, Stored

AT_ONCE = 100
"""Identifiers in one search; a message with thousands of results takes several."""

_OFTEN_THERE = frozenset(("Patient",))
"""Types of which no guess is made: whom one hospital registers, another one knows."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_SIGNS = str.maketrans({sign: "\\" + sign for sign in "\\,$|"})


class Identity(NamedTuple):
    """A type and an identifier; system "" is none."""

    type: str
    system: str
    value: str

    @property
    def key(self) -> str:
        """Its key in the directory, which does not show it."""
        text = f"{self.system}\n{self.value}".encode()
        digest = hashlib.blake2b(text, digest_size=15).digest()
        return f"{self.type}?{urlsafe_b64encode(digest).decode()}"


@dataclass(slots=True)
class Found:
    """What a message is about.

    Attributes:
        held: By full URL within the message; the same one for twins.
        conditions: That nothing else carries the identifiers of what is new.
        names: New entries of the directory.
        elsewhere: By full URL the identifiers that another resource carries already.
        remarks: What a person should look at.
        guessed: A search was left out: what the commit refuses is to be looked for.
    """

    held: dict[str, Held] = field(default_factory=dict)
    conditions: list[Matches] = field(default_factory=list)
    names: list[Mark] = field(default_factory=list)
    elsewhere: dict[str, frozenset[Identity]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    guessed: bool = False


def identities_of(mapped: Mapped) -> list[Identity]:
    """Identifiers that a resource is found by, the best first."""
    return [Identity(mapped.type, system, value) for system, value in mapped.identities if value]


def carries(content: Mapping[str, Any], identity: Identity) -> bool:
    """Whether a resource has an identifier."""
    return identity in identifiers_of(identity.type, content)


def identifiers_of(type: str, content: Mapping[str, Any]) -> list[Identity]:
    """The identifiers that a resource has."""
    found = content.get(IDENTIFIER, ())
    return [
        Identity(type, one.get("system", ""), one.get("value", ""))
        for one in ((found,) if isinstance(found, dict) else found)
    ]


async def find_all(
    door: Interactions,
    ctx: Context,
    resources: Sequence[Mapped],
    given: Mapping[str, Held],
    *,
    guess: bool = False,
) -> Found:
    """Find what the resources of a message are in the record; what is not there gets an id.

    Args:
        door: The record.
        ctx: Who asks: what is hidden from the site is not found.
        resources: Of one message.
        given: Those that are known already, by full URL.
        guess: Take it that what the directory does not know is not there.

    Raises:
        Conflict: An identifier leads to several resources.
        HubError: The record cannot answer.
    """
    resources = [one for one in resources if one.full_url not in given]
    leaders = _leaders(resources)
    own = {one.full_url: identities_of(one) for one in leaders.values()}
    finding = _Finding(door, ctx, guess)
    await finding.look_up([identity for all in own.values() for identity in all])
    wanted = _unknown(own.values(), finding)
    await finding.search(wanted)
    made = Found(
        dict(given),
        finding.conditions,
        guessed=guess and any(one.type not in _OFTEN_THERE for one in wanted),
    )
    first: dict[str, Held] = {}
    for number, mapped in enumerate(resources, 1):
        await breath(number)
        leader = leaders[mapped.full_url]
        if leader is not mapped:
            made.held[mapped.full_url] = made.held[leader.full_url]
            continue
        held = await _held(mapped, own[mapped.full_url], finding, made)
        held = made.held[mapped.full_url] = first.setdefault(held.reference, held)
        best = own[mapped.full_url][:1]
        made.names += [
            Mark(finding.keys[one], _written(held.id))
            for one in best
            if finding.ids.get(one) != held.id
        ]
    return made


def set_apart(mapped: Mapped, found: Found) -> Held:
    """Make a patient that was only found by an identifier of another one a record of its own.

    Registered twice, merged, and the hospital's first word of the surviving number is the merge:
    the national number leads to the record that is to be replaced.

    Args:
        mapped: The patient.
        found: Changed: what it is about.

    Returns:
        The record; that which it was before when it carries the best identifier.
    """
    held, best = found.held[mapped.full_url], identities_of(mapped)[:1]
    there = identifiers_of(mapped.type, held.content)
    if not best or best[0] in there:
        return held
    made = Held(mapped.type, new_id(), None, {"resourceType": mapped.type})
    found.held[mapped.full_url] = made
    found.elsewhere[mapped.full_url] = frozenset(there)
    found.names = [one for one in found.names if one.key != best[0].key]
    found.names.append(Mark(best[0].key, _written(made.id)))
    return made


# -------------------------------------------------------------------------------------------


def _written(id: str) -> bytes:
    """A logical id as the directory keeps it; ours are UUIDs."""
    return b"\1" + bytes.fromhex(id.replace("-", "")) if _UUID(id) else b"\0" + id.encode()


def _read(value: bytes) -> str:
    """The opposite of `_written`."""
    return value[1:].decode() if value[:1] == b"\0" else str(UUID(bytes=value[1:]))


def _leaders(resources: Sequence[Mapped]) -> dict[str, Mapped]:
    """For each full URL the first resource that is the same one: a doctor named twice."""
    first: dict[Identity, Mapped] = {}
    found: dict[str, Mapped] = {}
    for mapped in resources:
        own = identities_of(mapped)
        asked = own if mapped.how == "find" else own[:1]
        leader = next((first[one] for one in asked if one in first), mapped)
        for one in asked:
            first.setdefault(one, leader)
        found[mapped.full_url] = leader
    return found


def _unknown(all: Iterable[Sequence[Identity]], finding: _Finding) -> dict[Identity, None]:
    """Identifiers to search for: those before the first known one, and those new to it."""
    wanted: dict[Identity, None] = {}
    for own in all:
        if not own:
            continue
        known = finding.known.get(own[0])
        for one in own:
            if one not in finding.known and not (known and carries(finding.body(known[0]), one)):
                wanted[one] = None
    return wanted


@dataclass(slots=True)
class _Finding:
    """Looks for the resources of one message.

    Attributes:
        door: The record.
        ctx: Who asks.
        guess: Whether searches are left out.
        keys: Of all that was asked for, in the directory.
        ids: Where the directory says that an identifier leads.
        known: The resources that carry an identifier.
        conditions: See `Found`.
    """

    door: Interactions
    ctx: Context
    guess: bool = False
    keys: dict[Identity, str] = field(default_factory=dict)
    ids: dict[Identity, str] = field(default_factory=dict)
    known: dict[Identity, list[Stored]] = field(default_factory=dict)
    conditions: list[Matches] = field(default_factory=list)
    _bodies: dict[tuple[str, str], Content] = field(default_factory=dict)

    def body(self, stored: Stored) -> Content:
        """Content of a version, decoded once."""
        key = (stored.type, stored.id)
        if key not in self._bodies:
            self._bodies[key] = resource_of(stored)
        return self._bodies[key]

    async def look_up(self, asked: Sequence[Identity]) -> None:
        """Ask the directory, and believe it where the resource agrees."""
        async for some in slices(asked):
            keys = {one.key: one for one in some}
            self.keys.update((one, key) for key, one in keys.items())
            marks = await self.door.store.messages.marks(self.ctx.tenant.key, list(keys))
            ids = {keys[key]: _read(value) for key, value in marks.items()}
            targets = list({(one.type, id) for one, id in ids.items()})
            current = await sight.read_many(self.door, self.ctx, targets) if targets else {}
            for one, id in ids.items():
                stored = current.get((one.type, id))
                if stored is not None and carries(self.body(stored), one):
                    self.known[one] = [stored]
            self.ids |= ids

    async def search(self, asked: Iterable[Identity]) -> None:
        """Search for identifiers that the directory does not know."""
        by_type: dict[str, list[Identity]] = {}
        for one in asked:
            by_type.setdefault(one.type, []).append(one)
        if not by_type:
            return
        definitions = await self.door.registry.of(self.ctx.tenant.key)
        for type, all in by_type.items():
            for start in range(0, len(all), AT_ONCE):
                await self._search(type, all[start : start + AT_ONCE], definitions)

    async def _search(self, type: str, asked: Sequence[Identity], definitions: Definitions) -> None:
        text = ",".join(
            f"{one.system.translate(_SIGNS)}|{one.value.translate(_SIGNS)}" for one in asked
        )
        search = ((IDENTIFIER, text),)
        condition = await read_condition(self.door, self.ctx, type, search, definitions)
        stored = []
        if not self.guess or type in _OFTEN_THERE:
            stored = await find(self.door, self.ctx, condition, 2 * len(asked) + 1)
        self.known.update((one, []) for one in asked)
        for each in stored:
            for one in set(identifiers_of(type, self.body(each))).intersection(asked):
                self.known[one].append(each)
        if not all(self.known[one] for one in asked):
            self.conditions.append(condition.matches(each.id for each in stored))

    async def tombstone(self, own: Sequence[Identity]) -> Stored | None:
        """The deleted resource that an identifier led to."""
        for one in own:
            if one in self.ids:
                stored = await sight.read(self.door, self.ctx, one.type, self.ids[one])
                if stored is not None and stored.deleted:
                    return stored
        return None


async def _held(mapped: Mapped, own: Sequence[Identity], finding: _Finding, made: Found) -> Held:
    """The resource that one of a message is, or a new one."""
    strangers: set[Identity] = set()
    for number, one in enumerate(own):
        found = finding.known.get(one, [])
        if number and mapped.type == "Patient":
            same = [each for each in found if not _is_somebody_else(mapped, finding.body(each))]
            if found and not same:
                strangers.add(one)
            found = same
        if not found:
            continue
        stored = _chosen(mapped, found, finding, made)
        others = frozenset(
            other
            for other in own
            if (there := finding.known.get(other)) and all(each.id != stored.id for each in there)
        )
        if others:
            made.elsewhere[mapped.full_url] = others
            if not all(_joined(finding, stored, finding.known[other]) for other in others):
                place = place_of(mapped, IDENTIFIER)
                made.remarks.append(Remark("hl7v2-identifier-elsewhere", place))
        return Held(mapped.type, stored.id, stored, plain(finding.body(stored)))
    if strangers:
        made.elsewhere[mapped.full_url] = frozenset(strangers)
        place = place_of(mapped, IDENTIFIER)
        made.remarks.append(Remark("hl7v2-identifier-of-another", place))
    gone = None
    if finding.ids:
        gone = await finding.tombstone([one for one in own if one not in strangers])
    start = {"resourceType": mapped.type}
    return Held(mapped.type, new_id() if gone is None else gone.id, gone, start)


def _is_somebody_else(mapped: Mapped, content: Mapping[str, Any]) -> bool:
    """Whether a patient that only a lesser identifier leads to is told to be another person.

    Newborns are registered with their mother's national number, relatives with each other's.
    """
    told = mapped.resource
    if {told.get("gender"), content.get("gender")} == {"male", "female"}:
        return True
    born = [str(one.get("birthDate", "")) for one in (told, content)]
    return all(born) and not (born[0].startswith(born[1]) or born[1].startswith(born[0]))


def _joined(finding: _Finding, stored: Stored, others: Sequence[Stored]) -> bool:
    """Whether records are known to be one person's."""
    here = str(finding.body(stored).get("link", ""))
    return any(
        f"/{other.id}'" in here or f"/{stored.id}'" in str(finding.body(other).get("link", ""))
        for other in others
    )


def _chosen(mapped: Mapped, found: list[Stored], finding: _Finding, made: Found) -> Stored:
    """The one of several that carry an identifier.

    Raises:
        Conflict: Nobody can tell which one.
    """
    left = found
    for is_better in (_goes_on, _is_active):
        if len(left) > 1:
            left = [one for one in left if is_better(finding.body(one))] or left
    if len(left) > 1:
        place = place_of(mapped, IDENTIFIER)
        if mapped.how != "find":
            raise Conflict(
                fault("multiple-matches", "hl7v2-identity-ambiguous", place, type=mapped.type)
            )
        left = [min(left, key=lambda one: one.id)]
        made.remarks.append(Remark("hl7v2-identity-several", place, (("type", mapped.type),)))
    return left[0]


def _goes_on(content: Content) -> bool:
    return all(link.get("type") != "replaced-by" for link in content.get("link", ()))


def _is_active(content: Content) -> bool:
    return content.get("active") is not False
