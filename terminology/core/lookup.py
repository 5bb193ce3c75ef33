"""What a code means: words, properties, place in the hierarchy; and which of two is above.

Called by the operations `$lookup` and `$subsumes`.
Spec: https://hl7.org/fhir/R4/codesystem-operation-lookup.html,
https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from terminology.core.findings import Finding, Refused
from terminology.core.languages import own_display, shown
from terminology.core.membership import unknown_system
from terminology.core.scope import Scope
from terminology.core.shapes import CodeSystem, Designation, Resource

MOST_CHILDREN = 500
"""Children that are told without being asked for."""

Relation = Literal["equivalent", "subsumes", "subsumed-by", "not-subsumed"]


def find(scope: Scope, url: str, version: str, code: str) -> tuple[CodeSystem, int]:
    """A code in its code system.

    Args:
        scope: The content and its rules.
        url: Of the code system.
        version: "" for the newest.
        code: The code.

    Raises:
        Refused: The code system, its version or the code is not there.
    """
    system = scope.choose(url, version).system
    if system is None:
        raise Refused(unknown_system(scope, url, version, "system"), status=404)
    ordinal = system.find(code)
    if ordinal is None:
        message = "tx-code-unknown" if system.version else "tx-code-unknown-no-version"
        arguments: dict[str, object] = {"code": code, "system": url, "version": system.version}
        raise Refused(Finding(message, location="code", arguments=arguments), status=404)
    return system, ordinal


def lookup(scope: Scope, url: str, version: str, code: str, properties: Sequence[str]) -> Resource:
    """The Parameters that tell what a code means.

    Args:
        scope: The content and its rules.
        url: Of the code system.
        version: "" for the newest.
        code: The code.
        properties: Those asked for; none or `*`: all.

    Raises:
        Refused: The code is not there, or a supplement is not.
    """
    system, ordinal = find(scope, url, version, code)
    scope.require_supplements([system])
    display = system.display(ordinal)
    words = system.designations(ordinal)
    word = shown(display, system.language, words, scope.languages)
    name = str(system.resource.get("name") or system.resource.get("title") or system.url)
    made: list[Resource] = [
        {"name": "name", "valueString": name},
        {"name": "code", "valueCode": system.code(ordinal)},
        {"name": "system", "valueUri": system.url},
    ]
    if system.version:
        made.append({"name": "version", "valueString": system.version})
    if word.display or display:
        made.append({"name": "display", "valueString": word.display or display})
    definition = system.definition(ordinal)
    if definition:
        made.append({"name": "definition", "valueString": definition})
    made.append({"name": "abstract", "valueBoolean": system.is_abstract(ordinal)})
    made += [
        {"name": "used-supplement", "valueCanonical": one.canonical}
        for one in (scope.supplements_of(system) if scope.supplements else ())
    ]
    if _asked(properties, "designation"):
        made += [_designation(one) for one in _words(display, system.language, words)]
    return {
        "resourceType": "Parameters",
        "parameter": made + _properties(system, ordinal, properties),
    }


def _asked(properties: Sequence[str], name: str) -> bool:
    return not properties or name in properties or "*" in properties


def _words(display: str, language: str, words: Sequence[Designation]) -> list[Designation]:
    own = [own_display(display, language)] if display and language else []
    return [*own, *words]


def _designation(one: Designation) -> Resource:
    parts: list[Resource] = []
    if one.language:
        parts.append({"name": "language", "valueCode": one.language})
    if one.use:
        parts.append({"name": "use", "valueCoding": one.use})
    parts.append({"name": "value", "valueString": one.value})
    if one.source:
        parts.append({"name": "source", "valueCanonical": one.source})
    return {"name": "designation", "part": parts}


def _properties(system: CodeSystem, ordinal: int, properties: Sequence[str]) -> list[Resource]:
    made: list[Resource] = []
    inactive = system.property_named("inactive")
    if _asked(properties, "inactive"):
        made.append(_property("inactive", "valueBoolean", system.is_inactive(ordinal)))
    made += [
        _property(one.code, one.element, one.value)
        for one in system.properties(ordinal)
        if one.code != inactive and _asked(properties, one.code)
    ]
    if _asked(properties, "parent"):
        made += [_relative(system, "parent", one) for one in system.parents(ordinal)]
    children = system.children(ordinal)
    if "child" in properties or (_asked(properties, "child") and len(children) <= MOST_CHILDREN):
        made += [_relative(system, "child", one) for one in children]
    return made


def _property(code: str, element: str, value: Any, description: str = "") -> Resource:
    parts: list[Resource] = [{"name": "code", "valueCode": code}, {"name": "value", element: value}]
    if description:
        parts.append({"name": "description", "valueString": description})
    return {"name": "property", "part": parts}


def _relative(system: CodeSystem, code: str, ordinal: int) -> Resource:
    return _property(code, "valueCode", system.code(ordinal), system.display(ordinal))


def subsumes(scope: Scope, url: str, version: str, code_a: str, code_b: str) -> Relation:
    """How two codes of a code system stand to each other.

    Args:
        scope: The content and its rules.
        url: Of the code system.
        version: "" for the newest.
        code_a: The first code.
        code_b: The second code.

    Raises:
        Refused: The code system or a code is not there.
    """
    system, first = find(scope, url, version, code_a)
    _, second = find(scope, url, version, code_b)
    if first == second:
        return "equivalent"
    if first in system.above(second):
        return "subsumes"
    return "subsumed-by" if second in system.above(first) else "not-subsumed"
