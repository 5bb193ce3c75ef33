"""history of an instance, a type, the system: versions, newest first, page by page.

Parameters: `_since`, `_at`, `_list`, `_count`, and the cursor of a next link.
Spec: https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hub.context import Context
from hub.errors import BadRequest, TooCostly, fault
from hub.interactions import sight
from hub.interactions.absence import absent
from hub.interactions.answer import BundleAnswer, Entry, Response, resource_of
from hub.interactions.commit import BREATH
from hub.interactions.entry_response import status_line
from hub.interactions.url import only, write_parameters
from hub.interactions.validated import known_type, well_formed
from hub.messages import Phrase
from hub.model import dates
from hub.model.identity import new_id, valid_id, version_number
from hub.model.reference import parse
from hub.search.parse import ROOM
from hub.search.query import Position
from hub.storage.port import DeadlineExceeded, HistoryQuery, Stored

if TYPE_CHECKING:
    from hub.interactions.door import Interactions

CURSOR = "_cursor"
KNOWN = ("_since", "_at", "_list", "_count", CURSOR)


async def history(
    door: Interactions,
    ctx: Context,
    type: str,
    id: str,
    parameters: Sequence[tuple[str, str]],
    strict: bool = False,
) -> BundleAnswer:
    """A page of versions, tombstones included.

    Args:
        door: The record.
        ctx: Who asks.
        type: Resource type, "" for the system.
        id: Logical id, "" for the type.
        parameters: Names and values, decoded; others than the known ones are ignored.
        strict: Refuse those instead.

    Raises:
        NotFound: There is no such type, or there never was such a resource that may be seen.
        Forbidden: Some of a type's or the system's history may not be seen.
        BadRequest: A parameter is malformed, or unknown while strict.
        TooCostly: It takes longer than the store allows.
    """
    if strict:
        only(KNOWN, parameters)
    if type:
        known_type(type)
    if id:
        well_formed(id)
    given = {name: value for name, value in parameters if name in KNOWN}
    fingerprint = f"history {type}/{id} {given.get('_since')} {given.get('_at')}"
    if "_list" in given:
        fingerprint += f" {given['_list']}"
    query = HistoryQuery(
        type,
        id,
        _since(given, ctx),
        _at(given, ctx),
        _count(given, door),
        _before(given, door, fingerprint),
        await _members(given, door, ctx),
        ROOM,
    )
    try:
        found = await sight.history(door, ctx, query)
    except DeadlineExceeded as error:
        raise TooCostly(fault("too-costly", "search-too-costly")) from error
    if found is None:
        raise absent(type, id)
    page, is_counted = found
    place = "/".join(part for part in (ctx.base, type, id, "_history") if part)
    own = tuple((name, given[name]) for name in KNOWN if name in given)
    links = [("self", _url(place, own))]
    if page.next is not None:
        cursor = door.cursors.encode(page.next, fingerprint)
        others = tuple(pair for pair in own if pair[0] != CURSOR)
        links.append(("next", _url(place, (*others, (CURSOR, cursor)))))
    anew = await _created_anew(door, ctx, page.versions)
    entries = tuple(
        _entry(ctx, stored, (stored.type, stored.id, stored.version) in anew)
        for stored in page.versions
    )
    return BundleAnswer(
        "history",
        entries,
        page.total if is_counted else None,
        tuple(links),
        new_id(),
        ctx.now,
    )


def _url(place: str, parameters: tuple[tuple[str, str], ...]) -> str:
    return f"{place}?{write_parameters(parameters)}" if parameters else place


def _malformed(name: str, expected: str) -> BadRequest:
    return BadRequest(fault("value", "history-parameter", name=name, expected=Phrase(expected)))


def _since(given: Mapping[str, str], ctx: Context) -> int | None:
    """`_since` in milliseconds, the first one at or after the instant."""
    if "_since" not in given:
        return None
    try:
        low, _ = dates.parse(given["_since"], ctx.tenant.zone)
    except ValueError as error:
        raise _malformed("_since", "an instant, as 2026-03-01T02:00:00+08:00") from error
    return -(-low // 1000)


def _at(given: Mapping[str, str], ctx: Context) -> tuple[int, int] | None:
    """`_at` in milliseconds."""
    if "_at" not in given:
        return None
    try:
        low, high = dates.parse(given["_at"], ctx.tenant.zone)
    except ValueError as error:
        raise _malformed("_at", "a date or dateTime") from error
    return low // 1000, -(-high // 1000)


def _count(given: Mapping[str, str], door: Interactions) -> int:
    text = given.get("_count")
    if text is None:
        return door.settings.default_count
    if not (text.isascii() and text.isdigit()):
        raise _malformed("_count", "a whole number")
    wanted = int(text[:12])
    return min(wanted, door.settings.max_count) if wanted else door.settings.default_count


def _before(given: Mapping[str, str], door: Interactions, fingerprint: str) -> Position | None:
    cursor = given.get(CURSOR)
    return None if cursor is None else door.cursors.decode(cursor, fingerprint)


async def _members(
    given: Mapping[str, str], door: Interactions, ctx: Context
) -> dict[tuple[str, str], frozenset[int]] | None:
    """What the entries of the `_list` refer to; a list that is not there has none."""
    text = given.get("_list")
    if text is None:
        return None
    if text.startswith("$"):
        raise BadRequest(fault("not-supported", "search-current-list", name=text[:64]))
    id = text.removeprefix("List/")
    if not valid_id(id):
        raise _malformed("_list", "the id of a List")
    stored = await sight.read(door, ctx, "List", id)
    if stored is None or stored.deleted:
        return {}
    found: dict[tuple[str, str], frozenset[int]] = {}
    for entry in resource_of(stored).get("entry", ()):
        parts = parse(entry.get("item", {}).get("reference", ""), ctx.base)
        number = version_number(parts.version)
        if parts.kind != "relative" or (parts.version and not number):
            continue
        key = (parts.type, parts.id)
        versions = frozenset([number] if number else ())
        known = found.get(key)
        found[key] = versions if known is None else (versions and known and versions | known)
    return found


Version = tuple[str, str, int]


async def _created_anew(
    door: Interactions, ctx: Context, versions: Sequence[Stored]
) -> set[Version]:
    """Those made by a PUT where there was nothing: the first one, or one after a tombstone."""
    known = {(one.type, one.id, one.version): one.deleted for one in versions}
    found: set[Version] = set()
    for number, one in enumerate(versions):
        if one.method != "PUT":
            continue
        before = (one.type, one.id, one.version - 1)
        if one.version > 1 and before not in known:
            if not number % BREATH:
                await asyncio.sleep(0)
            known[before] = await sight.was_deleted(door, ctx, *before)
        if one.version == 1 or known[before]:
            found.add((one.type, one.id, one.version))
    return found


_STATUS = {"DELETE": 204, "POST": 201}


def _entry(ctx: Context, stored: Stored, created: bool) -> Entry:
    type, id, version, updated, _, method, _ = stored
    status = _STATUS.get(method, 201 if created else 200)
    url = type if method == "POST" else f"{type}/{id}"
    response = Response(status_line(status), etag=f'W/"{version}"', updated=updated)
    return Entry(f"{ctx.base}/{type}/{id}", stored, request=(method, url), response=response)
