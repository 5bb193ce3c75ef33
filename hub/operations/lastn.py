"""$lastn: the newest n Observations of each kind.

Spec: https://hl7.org/fhir/R4/observation-operation-lastn.html. Observations are of one kind
when they share a coding, directly or through others; those without a coding go by their text.
"""

from __future__ import annotations

from typing import Any

from hub.context import Context
from hub.errors import BadRequest, TooCostly, fault
from hub.interactions import Interactions
from hub.interactions.answer import BundleAnswer, Entry
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.model import body, json
from hub.operations.pages import pages
from hub.operations.parameters import number
from hub.storage.port import Stored

LIMIT = 10_000
PAGE = "500"
SUBJECTS = ("patient", "subject")


def kinds(code: Any) -> list[object]:
    """What an Observation.code can be recognised by: its codings, else its text."""
    concept = code if isinstance(code, dict) else {}
    codings: list[object] = [
        (coding.get("system"), coding.get("code"))
        for coding in concept.get("coding") or []
        if coding.get("code")
    ]
    return codings or [concept.get("text")]


class Groups:
    """Kinds of Observations, joined whenever one Observation carries codes of two of them."""

    def __init__(self) -> None:
        """Start without kinds."""
        self._parent: dict[object, object] = {}

    def _root(self, kind: object) -> object:
        while (parent := self._parent.setdefault(kind, kind)) != kind:
            kind = parent
        return kind

    def join(self, found: list[object]) -> None:
        """Make all of these one kind."""
        first = self._root(found[0])
        for kind in found[1:]:
            self._parent[self._root(kind)] = first

    def of(self, kind: object) -> object:
        """The name of the kind's group."""
        return self._root(kind)


async def lastn(door: Interactions, context: Context, request: OperationRequest) -> OperationAnswer:
    """The newest `max` (default 1) of each kind among the Observations that the search finds.

    Raises:
        BadRequest: Neither a patient nor category and code were given.
        TooCostly: More than 10,000 Observations match.
    """
    most = number(request, "max", 1, 1000)
    asked = {name.partition(":")[0].partition(".")[0] for name, _ in request.parameters}
    if not asked & set(SUBJECTS) and not {"category", "code"} <= asked:
        raise BadRequest(fault("required", "lastn-subject"))
    search = tuple(
        (name, value)
        for name, value in request.parameters
        if name not in ("max", "_sort", "_count")
    )
    groups, found = Groups(), list[tuple[Stored, object]]()
    async for page in pages(
        door, context, "Observation", (*search, ("_sort", "-date"), ("_count", PAGE))
    ):
        for entry in page.entries:
            if entry.mode == "match" and entry.stored is not None:
                one = entry.stored
                whole = body.join(one.type, one.id, one.version, one.updated, one.tail)
                of_kind = kinds(json.load(whole).get("code"))
                groups.join(of_kind)
                found.append((one, of_kind[0]))
        if len(found) > LIMIT:
            raise TooCostly(fault("too-costly", "lastn-too-many", limit=LIMIT))
    taken: dict[object, int] = {}
    entries = []
    for stored, kind in found:
        group = groups.of(kind)
        taken[group] = taken.get(group, 0) + 1
        if taken[group] <= most:
            full_url = f"{context.base}/{stored.type}/{stored.id}"
            entries.append(Entry(full_url, stored, mode="match"))
    return OperationAnswer(BundleAnswer("searchset", tuple(entries), len(entries)))


LASTN = Operation(
    "lastn",
    "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    frozenset({"type"}),
    lastn,
    frozenset({"Observation"}),
)
