"""$lastn: the newest n Observations of each kind.

Spec: https://hl7.org/fhir/R4/observation-operation-lastn.html. Observations are of one kind
when they share a coding, directly or through others; those without a coding go by their text.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from hub.context import Context
from hub.errors import BadRequest, TooCostly, fault
from hub.interactions import Interactions
from hub.interactions.answer import BundleAnswer, Entry, body_of
from hub.interactions.operation import Operation, OperationAnswer, OperationRequest
from hub.operations.pages import Parameters, pages
from hub.operations.parameters import number, parts, value
from hub.storage.port import Stored

LIMIT = 10_000
MOST = 1000
PAGE = "500"
SUBJECTS = frozenset({"patient", "subject"})
OWN = frozenset(
    {"max", "_sort", "_count", "_cursor", "_summary", "_elements", "_total", "_explain"}
)
"""Parameters that are not handed to the search: the operation decides about them."""


class _OnlyCode(msgspec.Struct):
    code: Any = None


_decode = msgspec.json.Decoder(_OnlyCode).decode


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

    def of(self, kind: object) -> object:
        """The name of the kind's group."""
        path = []
        while (parent := self._parent.setdefault(kind, kind)) != kind:
            path.append(kind)
            kind = parent
        for step in path:
            self._parent[step] = kind
        return kind

    def join(self, found: list[object]) -> None:
        """Make all of these one kind."""
        first = self.of(found[0])
        for kind in found[1:]:
            self._parent[self.of(kind)] = first


async def lastn(door: Interactions, context: Context, request: OperationRequest) -> OperationAnswer:
    """The newest `max` (default 1) of each kind among the Observations that the search finds.

    Parameters: `max`, and search parameters of Observation, in the query or in the body.

    Raises:
        BadRequest: Neither a patient nor category and code were given, or a search parameter
            cannot be used.
        TooCostly: More than 10,000 Observations match, or finding them takes too long.
    """
    most = number(request, "max", 1, MOST)
    search = _search(request)
    asked = {name.partition(":")[0].partition(".")[0] for name, _ in search}
    if not asked & SUBJECTS and not {"category", "code"} <= asked:
        raise BadRequest(fault("required", "lastn-subject"))
    groups, found = Groups(), list[tuple[Stored, object]]()
    end = time.monotonic() + door.settings.search_deadline
    first = (*search, ("_sort", "-date"), ("_count", PAGE))
    async for page in pages(door, context, "Observation", first, strict=True):
        for entry in page.entries:
            if entry.mode == "match" and entry.stored is not None:
                of_kind = kinds(_decode(body_of(entry.stored)).code)
                groups.join(of_kind)
                found.append((entry.stored, of_kind[0]))
        if len(found) > LIMIT:
            raise TooCostly(fault("too-costly", "lastn-too-many", limit=LIMIT))
        if time.monotonic() > end:
            raise TooCostly(fault("too-costly", "search-too-costly"))
    taken: dict[object, int] = {}
    entries = []
    for stored, kind in found:
        group = groups.of(kind)
        taken[group] = taken.get(group, 0) + 1
        if taken[group] <= most:
            full_url = f"{context.base}/{stored.type}/{stored.id}"
            entries.append(Entry(full_url, stored, mode="match"))
    return OperationAnswer(BundleAnswer("searchset", tuple(entries), len(entries)))


def _search(request: OperationRequest) -> Parameters:
    """The search parameters of the query and of the body."""
    given = [*request.parameters, *((part["name"], value(part)) for part in parts(request))]
    return tuple((name, _text(name, content)) for name, content in given if name not in OWN)


def _text(name: str, content: Any) -> str:
    """A value of Parameters as it would stand in a URL.

    Raises:
        BadRequest: It is of a type that has no such form.
    """
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        if isinstance(content.get("reference"), str):
            return str(content["reference"])
        if isinstance(content.get("code"), str):
            system = content.get("system")
            return f"{system}|{content['code']}" if isinstance(system, str) else content["code"]
    raise BadRequest(fault("invalid", "operation-parameter-type", name=name[:64], type="string"))


LASTN = Operation(
    "lastn",
    "http://hl7.org/fhir/OperationDefinition/Observation-lastn",
    frozenset({"type"}),
    lastn,
    frozenset({"Observation"}),
    needs="s",
)
