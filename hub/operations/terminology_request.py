"""What the terminology operations read from a request alike.

The value set or code system it is about, languages, rules of versions, supplements, resources
of its own (`tx-resource`). Parameters that are not known are ignored, as clients of other
servers send theirs along, unless handling is strict.
Spec: https://hl7.org/fhir/R4/valueset-operation-expand.html and its neighbours
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from hub.context import Context
from hub.errors import BadRequest, fault
from hub.interactions import Interactions
from hub.interactions.answer import resource_of as body_of
from hub.interactions.operation import OperationAnswer, OperationRequest
from hub.interactions.outcome import CODES
from hub.operations.parameters import Resource, every, one, only, text
from terminology.core import content
from terminology.core.content import Library
from terminology.core.findings import Finding, Refused, outcome
from terminology.core.languages import languages
from terminology.core.scope import CHECK, DEFAULT, FORCE, Scope, supplements_in
from terminology.core.shapes import ValueSet, objects

EXPANSION_PARAMETER = "http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter"
COMMON = (
    "displayLanguage",
    "useSupplement",
    "system-version",
    "check-system-version",
    "force-system-version",
    "default-valueset-version",
    "exclude-system",
    "tx-resource",
)
"""Parameters of every terminology operation."""

MOST_INTEGER = 2**31 - 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with its content.

    Attributes:
        door: The record.
        ctx: Who asks.
        request: The call.
        library: The content it is answered from.
    """

    door: Interactions
    ctx: Context
    request: OperationRequest
    library: Library

    def scope(self, value_set: ValueSet | None = None) -> Scope:
        """The rules of the request, completed by those of a value set.

        Raises:
            BadRequest: A parameter has the wrong type.
        """
        resource = {} if value_set is None else value_set.resource
        supplements = [*strings(self.request, "useSupplement"), *supplements_in(resource)]
        return Scope(
            self.library,
            languages(self.display_language(value_set)),
            _rules(self.request, DEFAULT),
            _rules(self.request, CHECK),
            _rules(self.request, FORCE),
            tuple(dict.fromkeys(supplements)),
            _rules(self.request, "default-valueset-version"),
            frozenset(strings(self.request, "exclude-system")),
        )

    def display_language(self, value_set: ValueSet | None) -> str:
        """The languages asked for: by parameter, header, value set; "" for none."""
        given = text(self.request, "displayLanguage") or self.request.languages
        if given or value_set is None:
            return given
        return expansion_parameter(value_set, "displayLanguage") or str(
            value_set.resource.get("language") or ""
        )

    async def compute(self, job: Callable[[], T], aside: bool = False) -> T:
        """Run what asks the library; see `content.answer`."""
        return await content.answer(self.library, job, aside)

    def value_set(self) -> Callable[[], ValueSet]:
        """How the value set that the request is about is found.

        Raises:
            BadRequest: It names none.
        """
        given = one(self.request, "valueSet")
        body = self.request.resource
        if given is None and body is not None and body.get("resourceType") == "ValueSet":
            given = body
        if isinstance(given, dict):
            found = ValueSet(given)
            return lambda: found
        url = text(self.request, "url")
        if not url:
            raise Refused(Finding("tx-nothing-to-expand"), status=400)
        version = text(self.request, "valueSetVersion") or ""
        scope = Scope(self.library)

        def named() -> ValueSet:
            found = scope.value_set(url, version)
            if found is None:
                name = f"{url}|{version}" if version else url
                raise Refused(Finding("tx-value-set-unknown", arguments={"url": name}), status=404)
            return found

        return named


async def asked(door: Interactions, ctx: Context, request: OperationRequest, *names: str) -> Asked:
    """Read what a request brings with it.

    Args:
        door: The record.
        ctx: Who asks.
        request: The call.
        names: The parameters of the operation beside `COMMON`; others are refused when
            handling is strict.

    Raises:
        BadRequest: Such a one.
    """
    if request.strict and names:
        only(request, *names, *COMMON)
    own = [one for one in every(request, "tx-resource") if isinstance(one, dict)]
    return Asked(door, ctx, request, Library(door.terminology.sources(ctx, own)))


async def instance(asked: Asked) -> Resource:
    """The resource that the address names; NotFound, Gone."""
    stored = await asked.door.read(asked.ctx, asked.request.type, asked.request.id)
    return body_of(stored)


def refused(error: Refused, ctx: Context) -> OperationAnswer:
    """The answer to a question that cannot be answered."""
    made = outcome(error.findings, ctx.language)
    for finding, issue in zip(error.findings, made["issue"], strict=True):
        issue["details"].setdefault("coding", [{"system": CODES, "code": finding.message}])
    return OperationAnswer(made, error.status)


def expansion_parameter(value_set: ValueSet, name: str) -> str:
    """A parameter that a value set sets for its own expansion, "" when it does not."""
    compose = value_set.resource.get("compose")
    places = (compose, value_set.resource)
    for place in places:
        for extension in objects(place.get("extension")) if isinstance(place, dict) else ():
            if extension.get("url") == EXPANSION_PARAMETER:
                found = _parts(extension)
                if found.get("name") == name:
                    return str(found.get("value") or "")
    return ""


def _parts(extension: Resource) -> dict[str, Any]:
    return {
        str(part.get("url")): next((part[key] for key in part if key.startswith("value")), None)
        for part in objects(extension.get("extension"))
    }


def strings(request: OperationRequest, name: str) -> list[str]:
    """All values of a parameter that are strings.

    Raises:
        BadRequest: One is none.
    """
    found = every(request, name)
    if not all(isinstance(value, str) for value in found):
        raise BadRequest(fault("invalid", "operation-parameter-type", name=name, type="string"))
    return found


def integer(request: OperationRequest, name: str) -> int | None:
    """A parameter that is no negative number, None when it is absent.

    Raises:
        BadRequest: It is something else.
    """
    found = one(request, name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 10:
        found = int(found)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MOST_INTEGER:
        raise BadRequest(
            fault("value", "operation-parameter-range", name=name, low=0, high=MOST_INTEGER)
        )
    return found


def choice(request: OperationRequest, name: str) -> bool | None:
    """A parameter that is true or false, None when it is absent.

    Raises:
        BadRequest: It is something else.
    """
    found = one(request, name)
    if found is None:
        return None
    if found in (True, "true"):
        return True
    if found in (False, "false"):
        return False
    raise BadRequest(fault("invalid", "operation-parameter-type", name=name, type="boolean"))


def element(request: OperationRequest, name: str) -> Resource | None:
    """A parameter that is a Coding or a CodeableConcept, None when it is absent.

    Raises:
        BadRequest: It is something else.
    """
    found = one(request, name)
    if found is not None and not isinstance(found, dict):
        raise BadRequest(fault("invalid", "operation-parameter-type", name=name, type="Coding"))
    return found


def _rules(request: OperationRequest, name: str) -> Mapping[str, str]:
    """Url to version, from `url|version` parameters."""
    pairs = (value.partition("|") for value in strings(request, name))
    return {url: version for url, _, version in pairs if url and version}
