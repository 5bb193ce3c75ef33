"""$everything: all that is known of a patient, an encounter, or the patients of a group.

Spec: https://hl7.org/fhir/R4/patient-operation-everything.html,
https://hl7.org/fhir/R4/encounter-operation-everything.html,
https://hl7.org/fhir/R4/group-operation-everything.html. It is the search of the compartment,
page by page, with the focal resource first and with what the members refer to outside the
compartment (practitioners, organizations, locations, medicines ...) included.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from hub.context import Context
from hub.errors import BadRequest, fault
from hub.interactions import Interactions
from hub.interactions.answer import BundleAnswer, Entry
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.model import body, dates, json
from hub.operations.document import targets
from hub.operations.pages import Parameters, next_parameters
from hub.operations.parameters import every, number, text
from hub.search.principal_date import principal_date
from hub.storage.port import Stored

DEFAULT_COUNT = 100
CURSOR = "_cursor"
Span = tuple[int | None, int | None]


async def everything(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """A page of the record around the instance.

    Parameters: `start`, `end` (clinical dates; what has none is kept), `_since`, `_type`,
    `_count`.

    Raises:
        NotFound: There is no such instance.
        BadRequest: A parameter cannot be used.
    """
    span = _span(context, request)
    focus = await door.read(context, request.type, request.id)
    members = [request.id]
    compartment = request.type
    if request.type == "Group":
        compartment = "Patient"
        members = [id_ for type_, id_ in _targets(context, focus) if type_ == "Patient"]
    index, cursor = _position(request, len(members))
    first = [] if cursor or index else [focus]
    matches: list[Stored] = []
    following: Parameters | None = None
    if members:
        page = await door.search(
            context, "", _search(door, request, cursor), compartment=(compartment, members[index])
        )
        found = (entry.stored for entry in page.entries if entry.stored is not None)
        kept = _within(context, span, found)
        matches = [one for one in kept if (one.type, one.id) != (focus.type, focus.id)]
        following = next_parameters(page)
    entries = [_entry(context, one, "match") for one in (*first, *matches)]
    entries += await _supporting(door, context, request, [*first, *matches])
    links = [("self", _url(context, request, ""))]
    if following is not None:
        after = dict(following).get(CURSOR, "")
        links.append(("next", _url(context, request, f"{index}~{after}")))
    elif index + 1 < len(members):
        links.append(("next", _url(context, request, f"{index + 1}~")))
    return OperationAnswer(BundleAnswer("searchset", tuple(entries), links=tuple(links)))


def _targets(context: Context, stored: Stored) -> list[tuple[str, str]]:
    whole = body.join(stored.type, stored.id, stored.version, stored.updated, stored.tail)
    return targets(json.load(whole), context.base)


def _entry(context: Context, stored: Stored, mode: str) -> Entry:
    return Entry(f"{context.base}/{stored.type}/{stored.id}", stored, mode=mode)


def _position(request: OperationRequest, members: int) -> tuple[int, str]:
    """Which member of the group, and the search's own cursor within it."""
    given = text(request, CURSOR)
    if given is None:
        return 0, ""
    number_, mark, cursor = given.partition("~")
    if not mark or not number_.isascii() or not number_.isdigit() or len(number_) > 9:
        raise BadRequest(fault("value", "search-cursor-invalid"))
    if int(number_) >= members:
        raise BadRequest(fault("value", "search-cursor-invalid"))
    return int(number_), cursor


def _types(request: OperationRequest) -> list[str]:
    return [name for given in every(request, "_type") for name in str(given).split(",") if name]


def _search(door: Interactions, request: OperationRequest, cursor: str) -> Parameters:
    count = number(request, "_count", DEFAULT_COUNT, door.settings.max_count)
    search = [("_count", str(count))]
    if types := _types(request):
        search.append(("_type", ",".join(types)))
    if since := text(request, "_since"):
        search.append(("_lastUpdated", f"ge{since}"))
    if cursor:
        search.append((CURSOR, cursor))
    return tuple(search)


def _span(context: Context, request: OperationRequest) -> Span:
    """First microsecond of `start` and the one after `end`.

    Raises:
        BadRequest: One of them is no date.
    """
    limits = []
    for name, side in (("start", 0), ("end", 1)):
        given = text(request, name)
        try:
            limits.append(dates.parse(given, context.tenant.zone)[side] if given else None)
        except ValueError as error:
            raise BadRequest(
                fault("value", "operation-parameter-type", name=name, type="date")
            ) from error
    return limits[0], limits[1]


def _within(context: Context, span: Span, found: Iterable[Stored]) -> list[Stored]:
    """Those whose clinical date is between start and end, and those that have none."""
    low, high = span
    if low is None and high is None:
        return list(found)
    kept = []
    for one in found:
        whole = body.join(one.type, one.id, one.version, one.updated, one.tail)
        when = principal_date(json.load(whole), context.tenant.zone)
        if when == 0 or ((low is None or when >= low) and (high is None or when < high)):
            kept.append(one)
    return kept


async def _supporting(
    door: Interactions, context: Context, request: OperationRequest, matches: list[Stored]
) -> list[Entry]:
    """What this page refers to and is in no patient's compartment; an encounter's patient."""
    wanted: dict[tuple[str, str], None] = {}
    here = {(one.type, one.id) for one in matches}
    types = frozenset(_types(request))
    supporting = SUPPORTING | {"Patient"} if request.type == "Encounter" else SUPPORTING
    for one in matches:
        for target in _targets(context, one):
            outside = target[0] in supporting and target not in here
            if outside and (not types or target[0] in types):
                wanted[target] = None
    found = await door.store.read_many(context.tenant.key, list(wanted))
    return [_entry(context, found[key], "include") for key in wanted if key in found]


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


def _url(context: Context, request: OperationRequest, cursor: str) -> str:
    kept = [(name, value) for name, value in request.parameters if name != CURSOR]
    if cursor:
        kept.append((CURSOR, cursor))
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{context.base}/{request.type}/{request.id}/$everything{query}"


EVERYTHING = Operation(
    "everything",
    "http://hl7.org/fhir/OperationDefinition/Patient-everything",
    frozenset({"instance"}),
    everything,
    frozenset({"Patient", "Encounter", "Group"}),
)
