"""A search URL as a SearchRequest (https://hl7.org/fhir/R4/search.html).

Parameters that are not known are ignored and named, or refused when the client asks for strict
handling; everything else that cannot be understood is refused. The criteria still hold
modifiers; `hub.search.rewrite` makes the query that a store answers. Called by interactions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.context import utc_now
from hub.definitions import compartment as compartment_members
from hub.definitions import compartment_names, is_resource_type
from hub.messages import Phrase
from hub.model import dates
from hub.model.identity import valid_id
from hub.search.cursor import CursorCodec, fingerprint
from hub.search.parsing.criteria import criterion_of
from hub.search.parsing.filters import read_filter
from hub.search.parsing.reading import (
    MOST_PARAMETERS,
    Reading,
    UnknownParameter,
    refuse,
)
from hub.search.parsing.results import Results, read_result
from hub.search.query import And, Criterion, InCompartment, OfType, Or, Query, SearchRequest
from hub.search.registry import ParameterRegistry

Parameters = Sequence[tuple[str, str]]

DEFAULT_COUNT = 20
MAX_COUNT = 1000
ROOM = 32 * 1024 * 1024
"""Bytes of bodies after which a page ends, or a thousand big resources would fill the memory."""
_EVERY_TYPE = "DomainResource"
"""What the parameters of a search over all types are asked of: Resource's, and `_text`."""


def parse(
    registry: ParameterRegistry,
    type: str,
    parameters: Parameters,
    *,
    zone: str,
    base: str,
    compartment: tuple[str, str] | None = None,
    strict: bool = False,
    default_count: int = DEFAULT_COUNT,
    max_count: int = MAX_COUNT,
    codec: CursorCodec | None = None,
    tenant: int = 1,
    clock: Callable[[], datetime] = utc_now,
) -> SearchRequest:
    """Read a search.

    Args:
        registry: The parameters that are known.
        type: Resource type; "" or `*` searches all types (`_type` narrows them).
        parameters: Names and values, percent-decoded, in order.
        zone: IANA zone of dates without an offset.
        base: The hub's own base URL without a trailing slash.
        compartment: Type and id of the compartment searched, None for none.
        strict: Refuse unknown parameters (`Prefer: handling=strict`).
        default_count: Page size without `_count`.
        max_count: Greatest page size.
        codec: Reads `_cursor`; without it a cursor is refused.
        tenant: Tenant key, which cursors are bound to.
        clock: For approximate dates.

    Raises:
        BadRequest: It cannot be understood, or is not offered here.
    """
    if len(parameters) > MOST_PARAMETERS:
        refuse("too-costly", "search-too-many-parameters", limit=MOST_PARAMETERS)
    reading = Reading(registry, zone, base, dates.microseconds(clock()))
    types = _types(type, parameters)
    draft = _Draft(reading, types, strict)
    for name, text in parameters:
        draft.note(name, text, is_type_search=bool(type) and type != "*")
    criteria = draft.criteria
    if compartment is not None:
        criteria.insert(0, _in_compartment(compartment, types))
    place = f"{tenant}/" if compartment is None else f"{tenant}/{'/'.join(compartment)}"
    return _request(draft, fingerprint(types, place, parameters), codec, default_count, max_count)


def criteria_of(
    registry: ParameterRegistry,
    type: str,
    search: Parameters,
    *,
    zone: str,
    base: str,
    clock: Callable[[], datetime] = utc_now,
) -> Query:
    """The query of a conditional interaction: unknown and result parameters are refused.

    Args:
        registry: The parameters that are known.
        type: Resource type.
        search: Names and values.
        zone: IANA zone of dates without an offset.
        base: The hub's own base URL without a trailing slash.
        clock: For approximate dates.

    Raises:
        BadRequest: It cannot be understood.
    """
    if len(search) > MOST_PARAMETERS:
        refuse("too-costly", "search-too-many-parameters", limit=MOST_PARAMETERS)
    reading = Reading(registry, zone, base, dates.microseconds(clock()))
    draft = _Draft(reading, (type,), True)
    for name, text in search:
        draft.note_criterion(name, text)
    return Query((type,), _all(draft.criteria))


@dataclass(slots=True)
class _Draft:
    """A request that grows by one parameter at a time."""

    reading: Reading
    types: tuple[str, ...]
    strict: bool
    criteria: list[Criterion] = field(default_factory=list)
    results: Results = field(default_factory=Results)
    honoured: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def note(self, name: str, text: str, *, is_type_search: bool) -> None:
        """Take in any parameter."""
        if not text:
            if self.strict:
                refuse("value", "search-value-empty", name=name[:128])
            self.empty.append(name)
            return
        try:
            if name == "_type":
                if is_type_search:
                    refuse("not-supported", "search-not-on-type", name="_type")
            elif not read_result(self.reading, self.types, self.results, name, text):
                self.note_criterion(name, text)
        except UnknownParameter as unknown:
            if self.strict:
                refuse(
                    "not-supported",
                    "search-unknown-parameter",
                    type=unknown.type,
                    name=unknown.name[:128],
                )
            self.ignored.append(name)
            return
        if name != "_cursor":
            self.honoured.append((name, text))

    def note_criterion(self, name: str, text: str) -> None:
        """Take in a search parameter."""
        try:
            self.criteria.append(self._criterion(name, text))
        except UnknownParameter as unknown:
            if not self.strict:
                raise
            refuse(
                "not-supported",
                "search-unknown-parameter",
                type=unknown.type,
                name=unknown.name[:128],
            )

    def _criterion(self, name: str, text: str) -> Criterion:
        if len(self.types) == 1:
            return _one(self.reading, self.types[0], name, text)
        if not self.types:
            return _one(self.reading, _EVERY_TYPE, name, text)
        by_criterion: dict[Criterion, list[str]] = {}
        for type in self.types:
            own = _one(self.reading, type, name, text)
            by_criterion.setdefault(own, []).append(type)
        if len(by_criterion) == 1:
            return next(iter(by_criterion))
        return Or(tuple(And((OfType(tuple(types)), own)) for own, types in by_criterion.items()))


def _one(reading: Reading, type: str, name: str, text: str) -> Criterion:
    if name == "_filter":
        return read_filter(reading, type, text)
    return criterion_of(reading, type, name, text)


def _types(type: str, parameters: Parameters) -> tuple[str, ...]:
    """The types searched; () for all."""
    if type and type != "*":
        if not is_resource_type(type):
            refuse("not-found", "search-type-unknown", type=type[:64])
        return (type,)
    found: dict[str, None] = {}
    for name, text in parameters:
        if name != "_type":
            continue
        for piece in filter(None, text.split(",")):
            if not is_resource_type(piece):
                refuse("not-found", "search-type-unknown", type=piece[:64])
            found[piece] = None
    return tuple(found)


def _in_compartment(compartment: tuple[str, str], types: tuple[str, ...]) -> Criterion:
    name, logical_id = compartment
    members = compartment_members(name) if name in compartment_names() else {}
    if not members or (len(types) == 1 and types[0] not in members):
        refuse(
            "not-found",
            "search-compartment",
            name=name[:64],
            type=", ".join(types) or "*",
        )
    if not valid_id(logical_id):
        refuse("value", "search-value-invalid", name=name, expected=Phrase("an id"))
    return InCompartment(name, logical_id)


def _all(criteria: Iterable[Criterion]) -> Criterion:
    found = tuple(criteria)
    return found[0] if len(found) == 1 else And(found)


def _as_used(
    honoured: list[tuple[str, str]], count: int | None, max_count: int
) -> Iterator[tuple[str, str]]:
    """Parameters of the self link: a `_count` that was lowered says so."""
    for name, text in honoured:
        lowered = name == "_count" and count is not None and count > max_count
        yield name, str(max_count) if lowered else text


def _request(
    draft: _Draft, search: str, codec: CursorCodec | None, default_count: int, max_count: int
) -> SearchRequest:
    results = draft.results
    count = default_count if results.count is None else results.count
    if results.summary == "count":
        count = 0
    if results.summary == "text" and results.includes:
        refuse("not-supported", "search-text-include")
    total = results.total or ("accurate" if count == 0 else "none")
    query = Query(
        draft.types,
        _all(draft.criteria),
        results.sort,
        min(count, max_count),
        None,
        total,
        ROOM,
    )
    if results.cursor:
        if codec is None:
            refuse("value", "search-cursor-invalid")
        query = replace(query, after=codec.decode(results.cursor, search))
    return SearchRequest(
        query,
        tuple(results.includes),
        results.summary,
        results.elements,
        tuple(_as_used(draft.honoured, results.count, max_count)),
        tuple(draft.ignored),
        results.explain,
        search,
        tuple(draft.empty),
    )
