"""The filters of a value set's include, on columns.

Each gives the ordinals of the concepts that meet it; answers are kept with their code system, so
that asking whether one code is in the set costs a look-up. No regular expression can hang the
hub: patterns are weighed (`hub.fhirpath.regexes`) and the whole filter has a time limit.
Spec: https://hl7.org/fhir/R4/valueset-filter-operator.html; `child-of` and `descendent-leaf`
are R5's, which an extension carries in R4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic, thread_time
from typing import Any

from hub.fhirpath.regexes import CostlyPattern, Pattern, weighed
from terminology.core.effort import SECOND, TESTED, Effort
from terminology.core.findings import Finding, Refused
from terminology.core.shapes import CodeSystem, Resource, objects

R5_OPERATOR = (
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.compose.include.filter.op"
)
SECONDS = 1.0
"""That one regular expression may take over all concepts."""

MOST_KEPT = 256
"""Answers that are kept with a code system."""

MOST_WEIGHT = 1_000_000
"""Ordinals that they have together; some 60 bytes each."""

LONGEST = 20_000
"""Characters of a value whose answer is kept."""

Ordinals = frozenset[int]
Key = tuple[str, str, str]


def matching(system: CodeSystem, element: Resource, location: str, effort: Effort) -> Ordinals:
    """The concepts that meet a filter.

    Args:
        system: The code system.
        element: ValueSet.compose.include.filter.
        location: Its FHIRPath, for refusals.
        effort: Is spent when the answer was not kept.

    Raises:
        Refused: It has no value, is not supported, is no regular expression, or takes too long.
    """
    name, operator = str(element.get("property") or ""), _operator(element)
    value = element.get("value")
    if not isinstance(value, str) or not value:
        raise Refused(
            Finding(
                "tx-filter-no-value",
                location=location,
                arguments={"system": system.url, "property": name, "operator": operator},
            ),
            status=422,
        )
    key = (name, operator, value)
    kept = system.selections
    found = kept.get(key)
    if found is None:
        effort.spend(TESTED * len(system))
        began = thread_time()
        found = _select(system, name, operator, value, location)
        if operator == "regex":  # What it costs is not known before.
            effort.spend(int((thread_time() - began) * SECOND))
        if len(value) <= LONGEST:
            _keep(kept, key, found)
    return found


def _keep(kept: dict[Key, Ordinals], key: Key, found: Ordinals) -> None:
    """Keep an answer; when they become too many, begin anew."""
    weight = sum(map(len, list(kept.values()))) + len(found)
    if len(kept) >= MOST_KEPT or weight > MOST_WEIGHT:
        kept.clear()
    kept[key] = found


def _operator(element: Resource) -> str:
    given = element.get("op")
    if isinstance(given, str):
        return given
    shadow = element.get("_op")
    for one in objects(shadow.get("extension")) if isinstance(shadow, dict) else ():
        if one.get("url") == R5_OPERATOR:
            return str(one.get("valueCode") or "")
    return ""


def _select(system: CodeSystem, name: str, operator: str, value: str, location: str) -> Ordinals:
    by_hierarchy = _HIERARCHY.get(operator)
    if by_hierarchy is not None and name in _CONCEPT:
        place = system.find(value)
        return frozenset() if place is None else by_hierarchy(system, place)
    if operator == "is-not-a" and name in _CONCEPT:
        place = system.find(value)
        everything = frozenset(range(len(system)))
        return everything if place is None else everything - _is_a(system, place)
    by_value = _VALUES.get(operator)
    if by_value is None:
        arguments: dict[str, object] = {"property": name, "operator": operator or "-"}
        raise Refused(Finding("tx-filter-unsupported", location=location, arguments=arguments))
    return by_value(system, name, value, location)


# --- by hierarchy ---------------------------------------------------------------------------

_CONCEPT = frozenset(("concept", "code"))


def _is_a(system: CodeSystem, place: int) -> Ordinals:
    return frozenset(system.below(place) | {place})


def _leaves(system: CodeSystem, place: int) -> Ordinals:
    return frozenset(one for one in system.below(place) if not system.children(one))


_HIERARCHY: Mapping[str, Callable[[CodeSystem, int], Ordinals]] = {
    "is-a": _is_a,
    "descendent-of": lambda system, place: frozenset(system.below(place)),
    "child-of": lambda system, place: frozenset(system.children(place)),
    "descendent-leaf": _leaves,
    "generalizes": lambda system, place: frozenset(system.above(place) | {place}),
}


# --- by value -------------------------------------------------------------------------------


def _texts(system: CodeSystem, name: str) -> Callable[[int], list[str]]:
    """How the texts of a property are read from a concept."""
    if name in _CONCEPT:
        return lambda ordinal: [system.code(ordinal)]
    if name == "display":
        return lambda ordinal: [system.display(ordinal)]
    if name == "definition":
        return lambda ordinal: [system.definition(ordinal)]
    if name in ("parent", system.property_named("parent")):
        return lambda ordinal: [system.code(one) for one in system.parents(ordinal)]
    if name in ("child", system.property_named("child")):
        return lambda ordinal: [system.code(one) for one in system.children(ordinal)]
    return lambda ordinal: [
        text
        for one in system.properties(ordinal)
        if one.code == name
        for text in texts_of(one.value)
    ]


def texts_of(value: Any) -> list[str]:
    """What a filter may compare a property's value with."""
    if value is True or value is False:
        return [str(value).lower()]
    if isinstance(value, dict):
        code, system = str(value.get("code") or ""), str(value.get("system") or "")
        return [code, f"{system}|{code}"]
    return [str(value)]


_FLAGS: Mapping[str, Callable[[CodeSystem, int], bool]] = {
    "inactive": lambda system, ordinal: system.is_inactive(ordinal),
    "notSelectable": lambda system, ordinal: system.is_abstract(ordinal),
}


def _equal(system: CodeSystem, name: str, value: str, _location: str) -> Ordinals:
    for flag, holds in _FLAGS.items():
        if name in (flag, system.property_named(flag)) and value in ("true", "false"):
            return frozenset(
                ordinal
                for ordinal in range(len(system))
                if holds(system, ordinal) is (value == "true")
            )
    if name in _CONCEPT:
        place = system.find(value)
        return frozenset() if place is None else frozenset((place,))
    texts = _texts(system, name)
    return frozenset(ordinal for ordinal in range(len(system)) if value in texts(ordinal))


def _in(system: CodeSystem, name: str, value: str, _location: str) -> Ordinals:
    wanted = {part.strip() for part in value.split(",") if part.strip()}
    if name in _CONCEPT:
        places = (system.find(code) for code in wanted)
        return frozenset(place for place in places if place is not None)
    texts = _texts(system, name)
    return frozenset(
        ordinal for ordinal in range(len(system)) if not wanted.isdisjoint(texts(ordinal))
    )


def _not_in(system: CodeSystem, name: str, value: str, location: str) -> Ordinals:
    return frozenset(range(len(system))) - _in(system, name, value, location)


def _exists(system: CodeSystem, name: str, value: str, _location: str) -> Ordinals:
    texts = _texts(system, name)
    return frozenset(
        ordinal
        for ordinal in range(len(system))
        if any(texts(ordinal)) is (value.lower() == "true")
    )


def _regex(system: CodeSystem, name: str, value: str, location: str) -> Ordinals:
    try:
        pattern = weighed(value)
    except ValueError as error:
        raise Refused(Finding("tx-filter-regex", location=location)) from error
    try:
        return _matched(system, _texts(system, name), pattern)
    except (CostlyPattern, TimeoutError) as error:
        raise Refused(Finding("tx-filter-slow", location=location)) from error


def _matched(system: CodeSystem, texts: Callable[[int], list[str]], pattern: Pattern) -> Ordinals:
    end = monotonic() + SECONDS
    found: list[int] = []
    for ordinal in range(len(system)):
        if monotonic() > end:
            raise TimeoutError
        if any(pattern.matches(text, True) for text in texts(ordinal)):
            found.append(ordinal)
    return frozenset(found)


_VALUES: Mapping[str, Callable[[CodeSystem, str, str, str], Ordinals]] = {
    "=": _equal,
    "in": _in,
    "not-in": _not_in,
    "exists": _exists,
    "regex": _regex,
}
