"""How good a code system or value set is for use: draft, experimental, deprecated, withdrawn.

Told with a validation as information and with an expansion as a parameter.
Spec: https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.status and the extension
structuredefinition-standards-status
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from terminology.core.findings import Finding
from terminology.core.shapes import CodeSystem, ValueSet, objects

STANDARDS_STATUS = "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status"
_STANDARDS = frozenset(("deprecated", "withdrawn", "draft"))
_STATUSES = frozenset(("draft", "retired"))
_GONE = frozenset(("deprecated", "withdrawn", "retired"))


class Noted(NamedTuple):
    """Something to be told: the word, the kind of resource, its canonical."""

    word: str
    kind: str
    canonical: str


def standing(content: CodeSystem | ValueSet) -> str:
    """`deprecated`, `withdrawn`, `draft`, `retired`, `experimental`, or "" for none of it."""
    resource = content.resource
    for one in objects(resource.get("extension")):
        if one.get("url") == STANDARDS_STATUS:
            found = one.get("valueCode")
            if found in _STANDARDS:
                return str(found)
    status = resource.get("status")
    if isinstance(status, str) and status in _STATUSES:
        return status
    return "experimental" if resource.get("experimental") is True else ""


def notable(value_set: ValueSet, systems: Iterable[CodeSystem]) -> list[Noted]:
    """What is to be told of a value set and of the code systems in use, each once.

    A draft or an experiment is worth a word only where it is used by something that is not.

    Args:
        value_set: The value set.
        systems: The code systems.
    """
    own = standing(value_set)
    found = []
    if own in _GONE:
        found.append(Noted(own, "ValueSet", value_set.canonical))
    for system in systems:
        word = standing(system)
        if word and (word in _GONE or word != own):
            found.append(Noted(word, "CodeSystem", system.canonical))
    return list(dict.fromkeys(found))


def told(noted: Noted) -> Finding:
    """It as a finding of a validation."""
    arguments: dict[str, object] = {"kind": noted.kind, "canonical": noted.canonical}
    return Finding(f"tx-standing-{noted.word}", "information", "", arguments, told=False)
