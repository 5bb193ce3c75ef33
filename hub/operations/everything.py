"""$everything: all that is known of a patient, an encounter, or the patients of a group.

Spec: https://hl7.org/fhir/R4/patient-operation-everything.html (one patient, or all),
https://hl7.org/fhir/R4/encounter-operation-everything.html,
https://hl7.org/fhir/R4/group-operation-everything.html. It is the search of one compartment
after the other, page by page, with what the members refer to outside of it (practitioners,
organizations, locations, medicines ...). No resource comes twice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlencode

from hub.context import Context
from hub.definitions import is_resource_type
from hub.errors import BadRequest, fault
from hub.interactions import Interactions, sight
from hub.interactions.answer import BundleAnswer, Entry, resource_of
from hub.interactions.operation import OnType, Operation, OperationAnswer, OperationRequest
from hub.model import dates
from hub.model.body import instant
from hub.operations.document import targets
from hub.operations.pages import Parameters, next_parameters
from hub.operations.parameters import Resource, number, only, text, texts
from hub.search.principal_date import principal_limits
from hub.storage.port import Stored

DEFAULT_COUNT = 100
CURSOR = "_cursor"
SEARCHES = 20
"""Searches that one page may take; it then ends early, with a link to go on."""

DEPTH = 3
"""Steps that supporting resources are followed: role, practitioner, organization."""

REMEMBERED = 500
MARK = 6
"""Bytes by which a supporting resource is remembered from page to page."""

SUPPORTING = frozenset(
    {
        "Device",
        "HealthcareService",
        "Location",
        "Medication",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Substance",
    }
)
"""Types that stand outside the compartment and that its members cannot be read without."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, the same on every page.

    Attributes:
        count: Entries of a page.
        types: Resource types; none: all.
        since: Only what was updated at or after this, in ms; None: all.
        low: Care dates from this on, microseconds; None: all.
        high: Care dates before this.
        asked: The parameters as they were given, for the links.
    """

    count: int
    types: frozenset[str]
    since: int | None
    low: int | None
    high: int | None
    asked: Parameters

    def takes(self, stored: Stored, zone: str) -> bool:
        """Whether a resource is among what is asked for."""
        return self.of_type(stored) and self.in_time(stored, zone)

    def of_type(self, stored: Stored) -> bool:
        """Whether its type is asked for."""
        return not self.types or stored.type in self.types

    def in_time(self, stored: Stored, zone: str) -> bool:
        """Whether its update and its care date are; what has no care date is at any time."""
        if self.since is not None and stored.updated < self.since:
            return False
        if self.low is None and self.high is None:
            return True
        limits = principal_limits(resource_of(stored), zone)
        if limits is None:
            return True
        return (self.low is None or limits[1] > self.low) and (
            self.high is None or limits[0] < self.high
        )


class Position(NamedTuple):
    """Where a page starts.

    Attributes:
        outer: Which member: its number in the group, or the cursor of the search for patients.
        id: The member, "" at its very start.
        inner: Cursor of the search of its compartment.
        seen: Marks of supporting resources that came already.
    """

    outer: str = ""
    id: str = ""
    inner: str = ""
    seen: bytes = b""


class Member(NamedTuple):
    """One compartment, where the next one is found (None at the end), and if it is the only."""

    id: str
    following: str | None
    is_only: bool = False


@dataclass(slots=True)
class _Page:
    """A page in the making."""

    entries: list[Entry] = field(default_factory=list)
    here: set[tuple[str, str]] = field(default_factory=set)
    seen: dict[bytes, None] = field(default_factory=dict)

    def add(self, context: Context, stored: Stored, mode: str) -> None:
        """Append a resource, unless it is there."""
        key = (stored.type, stored.id)
        if key not in self.here:
            self.here.add(key)
            full_url = f"{context.base}/{stored.type}/{stored.id}"
            self.entries.append(Entry(full_url, stored, mode=mode))

    def first_time(self, key: tuple[str, str]) -> bool:
        """Whether a resource that may come again did not come on this page or one before."""
        mark = hashlib.blake2b("/".join(key).encode(), digest_size=MARK).digest()
        if mark in self.seen:
            return False
        self.seen[mark] = None
        return True


async def everything(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """A page of the record around the instance, or around each patient.

    Parameters: `start`, `end` (care dates; what has none is kept), `_since`, `_type`, `_count`.

    Raises:
        NotFound: There is no such instance.
        BadRequest: A parameter cannot be used.
        TooCostly: A search takes too long.
    """
    wanted = _wanted(door, context, request)
    cursor = text(request, CURSOR)
    position = _read(cursor)
    marks = position.seen
    page = _Page(seen={marks[at : at + MARK]: None for at in range(0, len(marks), MARK)})
    group = None
    if request.id:
        focus = await door.read(context, request.type, request.id)
        if request.type == "Group":
            group = _members(focus)
        if cursor is None and wanted.takes(focus, context.tenant.zone):
            page.add(context, focus, "match")
    following: Position | None = position
    for _ in range(SEARCHES):
        if following is None or len(page.entries) >= wanted.count:
            break
        following = await _step(door, context, request, wanted, group, following, page)
    links = [("self", _url(context, request, wanted, ""))]
    if following is not None:
        marks = b"".join(list(page.seen)[:REMEMBERED])
        after = _write(following._replace(seen=marks))
        links.append(("next", _url(context, request, wanted, after)))
    return OperationAnswer(BundleAnswer("searchset", tuple(page.entries), links=tuple(links)))


async def _step(
    door: Interactions,
    context: Context,
    request: OperationRequest,
    wanted: Wanted,
    group: Sequence[str] | None,
    position: Position,
    page: _Page,
) -> Position | None:
    """Add the result of one search to the page; where the next one starts, None at the end."""
    member = await _member(door, context, request, group, position.outer)
    if member is None:
        return None
    # Another one stands here now than when the link was made: it has not been read yet.
    inner = position.inner if member.id == position.id else ""
    compartment = "Encounter" if request.type == "Encounter" else "Patient"
    supporting = SUPPORTING | {"Patient"} if compartment == "Encounter" else SUPPORTING
    answer = await door.search(
        context,
        "",
        _search(wanted, supporting, max(1, wanted.count - len(page.entries)), inner),
        compartment=(compartment, member.id),
    )
    found = [entry.stored for entry in answer.entries if entry.stored is not None]
    sources: list[Resource] = []
    for stored in found:
        if not wanted.in_time(stored, context.tenant.zone):
            continue
        resource = resource_of(stored)
        sources.append(resource)
        key = (stored.type, stored.id)
        if not wanted.of_type(stored) or key == (request.type, request.id):
            continue
        # Of several patients the same resource comes with the first one only.
        if member.is_only or not _has_several_patients(resource) or page.first_time(key):
            page.add(context, stored, "match")
    await _support(door, context, wanted, supporting, sources, page)
    rest = next_parameters(answer)
    if rest is not None:
        return Position(position.outer, member.id, dict(rest).get(CURSOR, ""))
    return None if member.following is None else Position(member.following)


async def _member(
    door: Interactions,
    context: Context,
    request: OperationRequest,
    group: Sequence[str] | None,
    outer: str,
) -> Member | None:
    """The member at a place: the instance, a group's patient, or one of all patients."""
    if group is not None:
        if outer and not (outer.isascii() and outer.isdigit() and len(outer) < 9):
            raise BadRequest(fault("value", "search-cursor-invalid"))
        index = int(outer or "0")
        if index >= len(group):
            return None
        return Member(group[index], str(index + 1) if index + 1 < len(group) else None)
    if request.id:
        return Member(request.id, None, True)
    search = [("_count", "1"), *([(CURSOR, outer)] if outer else [])]
    answer = await door.search(context, "Patient", search)
    rest = next_parameters(answer)
    for entry in answer.entries:
        if entry.stored is not None:
            return Member(entry.stored.id, dict(rest).get(CURSOR) if rest else None)
    return None


def _members(group: Stored) -> list[str]:
    """The patients that belong to a group now."""
    found: dict[str, None] = {}
    for member in resource_of(group).get("member", ()):
        reference_ = member.get("entity") or {}
        if not member.get("inactive"):
            for type_, id_, _ in targets({"entity": reference_}, ""):
                if type_ == "Patient":
                    found[id_] = None
    return list(found)


def _has_several_patients(resource: Resource) -> bool:
    return sum(type_ == "Patient" for type_, _, _ in targets(resource, "")) > 1


def _search(wanted: Wanted, supporting: frozenset[str], count: int, cursor: str) -> Parameters:
    search = [("_count", str(count))]
    # Supporting resources are found through everything, whatever else is asked for.
    if wanted.types and wanted.types.isdisjoint(supporting):
        search.append(("_type", ",".join(sorted(wanted.types))))
    if wanted.since is not None:
        search.append(("_lastUpdated", f"ge{instant(wanted.since)}"))
    if cursor:
        search.append((CURSOR, cursor))
    return tuple(search)


async def _support(
    door: Interactions,
    context: Context,
    wanted: Wanted,
    supporting: frozenset[str],
    sources: Sequence[Resource],
    page: _Page,
) -> None:
    """Add what the sources refer to and is in no patient's compartment, and what that needs."""
    for _ in range(DEPTH):
        keys = {
            (type_, id_): None
            for source in sources
            for type_, id_, _ in targets(source, context.base)
            if type_ in supporting and (type_, id_) not in page.here
        }
        fresh = [key for key in keys if page.first_time(key)]
        if not fresh:
            return
        found = await sight.read_many(door, context, fresh)
        there = [found[key] for key in fresh if key in found]
        sources = [resource_of(stored) for stored in there]
        for stored in there:
            if wanted.takes(stored, context.tenant.zone):
                page.add(context, stored, "include")


# --- parameters and links -------------------------------------------------------------------


def _wanted(door: Interactions, context: Context, request: OperationRequest) -> Wanted:
    only(request, "start", "end", "_since", "_type", "_count", CURSOR)
    zone, settings = context.tenant.zone, door.settings
    count = number(request, "_count", DEFAULT_COUNT, 10**9)
    given = [(name, text(request, name)) for name in ("start", "end", "_since")]
    types = texts(request, "_type")
    if not all(map(is_resource_type, types)):
        raise BadRequest(
            fault("value", "operation-parameter-type", name="_type", type="resource type")
        )
    asked = [(name, value) for name, value in given if value is not None]
    asked += [("_type", ",".join(types))] if types else []
    asked += [("_count", str(count))] if count != DEFAULT_COUNT else []
    limits = {name: _moment(name, value, zone) for name, value in given if value is not None}
    return Wanted(
        min(count, settings.max_count),
        frozenset(types),
        limits["_since"][0] // 1000 if "_since" in limits else None,
        limits["start"][0] if "start" in limits else None,
        limits["end"][1] if "end" in limits else None,
        tuple(asked),
    )


def _moment(name: str, value: str, zone: str) -> tuple[int, int]:
    try:
        return dates.parse(value, zone)
    except ValueError:
        raise BadRequest(
            fault("value", "operation-parameter-type", name=name, type="date or instant")
        ) from None


def _write(position: Position) -> str:
    seen = base64.urlsafe_b64encode(position.seen).decode().rstrip("=")
    return "~".join((position.outer, position.id, position.inner, seen))


def _read(cursor: str | None) -> Position:
    """The position that a link names.

    Raises:
        BadRequest: No link of ours.
    """
    if cursor is None:
        return Position()
    try:
        outer, id_, inner, seen = cursor.split("~")
        marks = base64.urlsafe_b64decode(seen + "=" * (-len(seen) % 4))
    except (ValueError, binascii.Error):
        marks, outer = b"x", ""
    if len(marks) % MARK:
        raise BadRequest(fault("value", "search-cursor-invalid"))
    return Position(outer, id_, inner, marks)


def _url(context: Context, request: OperationRequest, wanted: Wanted, cursor: str) -> str:
    asked = (*wanted.asked, (CURSOR, cursor)) if cursor else wanted.asked
    place = f"{request.type}/{request.id}" if request.id else request.type
    query = f"?{urlencode(asked)}" if asked else ""
    return f"{context.base}/{place}/$everything{query}"


_DEFINITION = "http://hl7.org/fhir/OperationDefinition/"

EVERYTHING = Operation(
    "everything",
    f"{_DEFINITION}Patient-everything",
    frozenset({"type", "instance"}),
    everything,
    frozenset({"Patient", "Encounter", "Group"}),
    on_types=(
        ("Encounter", OnType(f"{_DEFINITION}Encounter-everything", frozenset({"instance"}))),
        ("Group", OnType(f"{_DEFINITION}Group-everything", frozenset({"instance"}))),
    ),
    needs="r",
)
