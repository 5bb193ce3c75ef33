"""$translate: what a code is called in another code system, by concept maps.

Spec: https://hl7.org/fhir/R4/conceptmap-operation-translate.html. Clients of R5 name their
parameters differently (`sourceCode`, `targetCode` ...); they are answered in their words: then
`originMap` names the map, and backward the match says both codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hub.context import Context
from hub.errors import BadRequest, NotFound, fault
from hub.interactions import Interactions
from hub.interactions.operation import OperationAnswer, OperationRequest
from hub.messages import render
from hub.operations.parameters import Resource, flag, named, one, parts, text
from hub.operations.terminology_request import Asked, asked, element, instance
from terminology.core.concept_map import ConceptMap, compiled
from terminology.core.translating import Code, Match, Wanted, backward, fits, forward, with_others
from terminology.core.versions import choose

MOST_MATCHES = 1_000
LONG = 500_000
"""Steps from which on it is done beside the event loop."""

GROUP = 5
"""Steps to ask a group of a map about a code."""

SHOWN = 100


@dataclass(frozen=True, slots=True)
class _Question:
    """What is to be translated.

    Attributes:
        codes: One or, of a CodeableConcept, several.
        reverse: They are on the side of the targets.
        wanted: What the translation is limited to.
        later: The client speaks R5.
    """

    codes: tuple[Code, ...]
    reverse: bool
    wanted: Wanted
    later: bool


async def translate(
    door: Interactions, context: Context, request: OperationRequest
) -> OperationAnswer:
    """Translate a code, a Coding or each coding of a CodeableConcept.

    Without a map (instance, `url`, `conceptMap`) every map that fits the code's system, the value
    sets `source` and `target` and `targetsystem` is asked.

    Raises:
        BadRequest: There is nothing to translate, or a parameter has the wrong shape.
        NotFound: There is no such map.
    """
    here = await asked(door, context, request)
    question = _question(request)
    maps, others = await _maps(here, question)
    cost = _spend(here, question, [*maps, *others.values()])
    matches = await here.compute(lambda: _distinct(question, maps, others), cost > LONG)
    return OperationAnswer(_answer(context, question, maps, matches))


def _spend(here: Asked, question: _Question, maps: Sequence[ConceptMap]) -> int:
    """What it costs to ask all groups of some maps about each code, in steps.

    Raises:
        Refused: Too much.
    """
    cost = GROUP * len(question.codes) * sum(1 + len(one.groups) for one in maps)
    here.library.effort.spend(cost)
    return cost


def _distinct(
    question: _Question, maps: Sequence[ConceptMap], others: Mapping[str, ConceptMap]
) -> list[Match]:
    found: dict[Match, None] = {}
    for match in _matches(question, maps, others):
        found[match] = None
        if len(found) >= MOST_MATCHES:
            break
    return list(found)


def _matches(
    question: _Question, maps: Sequence[ConceptMap], others: Mapping[str, ConceptMap]
) -> Iterator[Match]:
    """What the maps say; groups and maps may say the same."""
    for concept_map in maps:
        for code in question.codes:
            if question.reverse:
                yield from backward(concept_map, code, question.wanted)
            else:
                yield from forward(concept_map, code, question.wanted, others)


# --- what is asked --------------------------------------------------------------------------


def _question(request: OperationRequest) -> _Question:
    """Read the code and its limits.

    Raises:
        BadRequest: There is no code.
    """
    given = {side: _codes(request, side) for side in ("", "source", "target")}
    side = next((side for side in ("source", "target", "") if given[side]), None)
    if side is None:
        raise BadRequest(fault("required", "translate-nothing"))
    reverse = side == "target" or (side == "" and flag(request, "reverse"))
    if side:
        other = text(request, "sourceSystem" if reverse else "targetSystem") or ""
        scopes = text(request, "sourceScope") or "", text(request, "targetScope") or ""
    else:
        other = text(request, "targetsystem") or text(request, "targetSystem") or ""
        scopes = text(request, "source") or "", text(request, "target") or ""
        if reverse:
            scopes = scopes[1], scopes[0]
    wanted = Wanted(other, *scopes, dependencies=_dependencies(request))
    return _Question(given[side], reverse, wanted, bool(side))


def _codes(request: OperationRequest, side: str) -> tuple[Code, ...]:
    """The codes that parameters of one side name."""

    def name(plain: str) -> str:
        return f"{side}{plain[0].upper()}{plain[1:]}" if side else plain

    code = text(request, name("code"))
    if code:
        system = text(request, name("system")) or text(request, "system") or ""
        version = text(request, name("version")) or text(request, "version") or ""
        return (Code(system, code, version),)
    coding = element(request, name("coding"))
    concept = element(request, name("codeableConcept"))
    codings = [coding] if coding else concept.get("coding", []) if concept else []
    return tuple(
        Code(*(str(one.get(part) or "") for part in ("system", "code", "version", "display")))
        for one in (codings if isinstance(codings, list) else [])
        if isinstance(one, dict) and isinstance(one.get("code"), str)
    )


def _dependencies(request: OperationRequest) -> Mapping[str, frozenset[tuple[str, str]]]:
    """What is known besides the code: R4's `element` and `concept`, R5's `attribute`, `value`."""
    found: dict[str, set[tuple[str, str]]] = {}
    for given in parts(request):
        if given["name"] != "dependency":
            continue
        property, values = "", set[tuple[str, str]]()
        for part in named(given.get("part", []), "Parameters.parameter.part"):
            content = next((part[key] for key in part if key.startswith("value")), None)
            if part["name"] in ("element", "attribute") and isinstance(content, str):
                property = content
            elif part["name"] in ("concept", "value"):
                values |= set(_values(content))
        found.setdefault(property, set()).update(values)
    return {property: frozenset(values) for property, values in found.items()}


def _values(content: Any) -> Iterator[tuple[str, str]]:
    if isinstance(content, str):
        yield "", content
    elif isinstance(content, dict):
        codings = content.get("coding", [content])
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, dict) and isinstance(coding.get("code"), str):
                yield str(coding.get("system") or ""), coding["code"]


# --- the maps -------------------------------------------------------------------------------


async def _maps(
    here: Asked, question: _Question
) -> tuple[Sequence[ConceptMap], Mapping[str, ConceptMap]]:
    """The maps to ask, and those that they hand codes on to.

    Raises:
        NotFound: The one that is named is not there.
    """
    maps = await _named(here)
    if maps is None:
        library = here.library
        groups = await here.compute(lambda: library.concept_maps(""))
        known = [compiled(resource) for group in groups for resource in group]
        _spend(here, question, known)
        unique = {one.canonical or str(id(one)): one for one in reversed(known)}
        maps = [
            one
            for one in reversed(unique.values())
            if any(
                fits(one, code, question.wanted, reverse=question.reverse)
                for code in question.codes
            )
        ]
    if question.reverse:
        return maps, {}
    return maps, await with_others(maps, partial(_by_canonical, here))


async def _named(here: Asked) -> list[ConceptMap] | None:
    """The map that the request names, None when it names none."""
    request = here.request
    if request.id:
        return [compiled(await instance(here))]
    given = one(request, "conceptMap")
    if isinstance(given, dict):
        return [compiled(given)]
    url = text(request, "url")
    if not url:
        return None
    version = text(request, "conceptMapVersion") or ""
    canonical = f"{url}|{version}" if version and "|" not in url else url
    found = await _by_canonical(here, canonical)
    if found is None:
        raise NotFound(fault("not-found", "translate-no-map", url=canonical[:SHOWN]))
    return [found]


async def _by_canonical(here: Asked, canonical: str) -> ConceptMap | None:
    url, _, version = canonical.partition("|")
    library = here.library
    groups = await here.compute(lambda: library.concept_maps(url))
    return choose([[compiled(one) for one in group] for group in groups], version)


# --- the answer -----------------------------------------------------------------------------


def _answer(
    context: Context, question: _Question, maps: Sequence[ConceptMap], matches: Sequence[Match]
) -> Resource:
    result = any(match.positive for match in matches)
    made: list[Resource] = [{"name": "result", "valueBoolean": result}]
    if not result:
        names = ", ".join(
            f"{code.system}#{code.code}" if code.system else code.code for code in question.codes
        )
        message = "translate-none" if maps else "translate-no-map-fits"
        told = render(message, {"code": names[:SHOWN]}, context.language)
        made.append({"name": "message", "valueString": told})
    made += [{"name": "match", "part": _parts(question, match)} for match in matches]
    return {"resourceType": "Parameters", "parameter": made}


def _parts(question: _Question, match: Match) -> list[Resource]:
    target, source = match.target, match.source
    made: list[Resource] = [{"name": "equivalence", "valueCode": target.equivalence}]
    aim = _coding(target.system, target.code, target.version, target.display)
    origin = _coding(source.system, source.code, source.version, source.display)
    if question.reverse and not question.later:
        made.append({"name": "concept", "valueCoding": origin})
    elif target.code:
        made.append({"name": "concept", "valueCoding": aim})
    for other in target.product:
        product = {"name": "element", "valueUri": other.property}
        value = _coding(other.system, other.value, "", other.display)
        made.append(
            {"name": "product", "part": [product, {"name": "concept", "valueCoding": value}]}
        )
    if question.later:
        if question.reverse:
            made.append({"name": "source", "valueCoding": origin})
        if match.map:
            made.append({"name": "originMap", "valueCanonical": match.map})
    elif match.map:
        made.append({"name": "source", "valueUri": match.map})
    return made


def _coding(system: str, code: str, version: str, display: str) -> Resource:
    made = {"system": system, "version": version, "code": code, "display": display}
    return {name: content for name, content in made.items() if content}
