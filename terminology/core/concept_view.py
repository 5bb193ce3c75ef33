"""One concept as it stands in an expansion: words, properties, status, extensions.

R4's ValueSet.expansion has no properties: they stand in the extensions that carry R5's there.
Called by expansion.
Spec: https://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.expansion.contains
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Any

from terminology.core.displays import words
from terminology.core.enumeration import Chunk
from terminology.core.languages import Languages, shown
from terminology.core.shapes import CONCEPT_PROPERTIES, CodeSystem, Designation, Resource, objects

_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion."
DECLARED, CARRIED = f"{_R5}property", f"{_R5}contains.property"

_FHIR = "http://hl7.org/fhir/StructureDefinition/"
_STATUS = f"{_FHIR}structuredefinition-standards-status"
_FROM_EXTENSIONS = {
    f"{_FHIR}codesystem-conceptOrder": ("order", "order", "valueDecimal"),
    f"{_FHIR}valueset-conceptOrder": ("order", "order", "valueDecimal"),
    f"{_FHIR}codesystem-label": ("label", "label", "valueString"),
    f"{_FHIR}valueset-label": ("label", "label", "valueString"),
    f"{_FHIR}itemWeight": ("weight", "itemWeight", "valueDecimal"),
    _STATUS: ("status", "status", "valueCode"),
}
"""Extension to the property it becomes: its code, the end of its uri, its value element."""

_KEPT = frozenset(
    (
        f"{_FHIR}rendering-style",
        f"{_FHIR}rendering-xhtml",
        f"{_FHIR}valueset-deprecated",
        f"{_FHIR}valueset-concept-definition",
    )
)
_KEPT_OF_DESIGNATIONS = frozenset((f"{_FHIR}coding-sctdescid", _STATUS))
_OWN = ("definition", "parent", "child", "inactive")
_LANGUAGE = "urn:ietf:bcp:47"


@dataclass(slots=True)
class View:
    """How concepts are to be shown, and which properties were.

    Attributes:
        languages: What displays are asked for.
        designations: Whether other words are shown.
        chosen: Of which languages or uses, as `system|code`; none: all.
        properties: Codes of the properties asked for, `*` for all.
        versions: Whether each code has its version.
        declared: Code of each property shown, and its uri.
    """

    languages: Languages
    designations: bool = False
    chosen: Set[str] = frozenset()
    properties: Set[str] = frozenset()
    versions: bool = False
    declared: dict[str, str] = field(default_factory=dict)

    def entry(self, chunk: Chunk, ordinal: int) -> Resource:
        """ValueSet.expansion.contains for one code of a chunk, without what is below."""
        system = chunk.system
        code = chunk.code(ordinal)
        listed = None if chunk.listed is None else chunk.listed.get(code)
        place = None if system is None else ordinal
        made: Resource = {"system": chunk.part.system}
        if system is not None:
            if system.is_abstract(ordinal):
                made["abstract"] = True
            if system.is_inactive(ordinal):
                made["inactive"] = True
            if self.versions and system.version:
                made["version"] = system.version
        made["code"] = code
        display, language, others = words(system, place, listed)
        word = shown(display, language, others, self.languages)
        if word.display:
            made["display"] = word.display
        if self.designations:
            designations = [_element(one) for one in word.others if self._is_chosen(one)]
            if designations:
                made["designation"] = designations
        extensions = self._extensions(system, ordinal, listed)
        if extensions:
            made["extension"] = extensions
        return made

    def _is_chosen(self, one: Designation) -> bool:
        if not self.chosen:
            return True
        use = f"{one.use.get('system') or ''}|{one.use.get('code') or ''}"
        language = one.language
        return not self.chosen.isdisjoint(
            (use, language, f"|{language}", f"{_LANGUAGE}|{language}")
        )

    def _extensions(
        self, system: CodeSystem | None, ordinal: int, listed: Resource | None
    ) -> list[Resource]:
        given = [*system.extensions(ordinal)] if system is not None else []
        if listed is not None:
            given += objects(listed.get("extension"))
        kept = {str(one.get("url")): one for one in given if one.get("url") in _KEPT}
        properties = self._from_extensions(given)
        if system is not None:
            properties |= self._status(system, ordinal)
        found = [(code, *value) for code, value in properties.items()]
        if system is not None and self.properties:
            found += self._asked(system, ordinal, properties)
        return [*kept.values(), *(_carried(*one) for one in found)]

    def _from_extensions(self, given: Iterable[Resource]) -> dict[str, tuple[str, Any]]:
        found: dict[str, tuple[str, Any]] = {}
        for one in given:
            meaning = _FROM_EXTENSIONS.get(str(one.get("url")))
            value = next((one[name] for name in one if name.startswith("value")), None)
            if meaning is not None and value is not None:
                code, uri, element = meaning
                self.declared.setdefault(code, CONCEPT_PROPERTIES + uri)
                found[code] = (element, value)
        return found

    def _status(self, system: CodeSystem, ordinal: int) -> dict[str, tuple[str, Any]]:
        for value in system.values(ordinal, system.property_named("status")):
            if value != "active":
                self.declared.setdefault("status", f"{CONCEPT_PROPERTIES}status")
                return {"status": ("valueCode", value)}
        return {}

    def _asked(
        self, system: CodeSystem, ordinal: int, there: dict[str, tuple[str, Any]]
    ) -> list[tuple[str, str, Any]]:
        """The properties asked for by code."""
        everything = "*" in self.properties
        found: list[tuple[str, str, Any]] = []
        for one in system.properties(ordinal):
            if (everything or one.code in self.properties) and one.code not in there:
                found.append((one.code, one.element, one.value))
                definition = system.property_definitions.get(one.code)
                self._declare(one.code, definition.uri if definition else "")
        for code in _OWN:
            if code not in self.properties or any(made[0] == code for made in found):
                continue
            values = _own_values(system, ordinal, code)
            if values:
                self._declare(code, CONCEPT_PROPERTIES + code)
            found += [(code, element, value) for element, value in values]
        return found

    def _declare(self, code: str, uri: str) -> None:
        if not self.declared.get(code):
            self.declared[code] = uri

    def declaration(self) -> list[Resource]:
        """Extensions of the expansion that tell which properties it has."""
        made = []
        for code, uri in self.declared.items():
            parts = [{"url": "code", "valueCode": code}]
            if uri:
                parts.append({"url": "uri", "valueUri": uri})
            made.append({"url": DECLARED, "extension": parts})
        return made


def _own_values(system: CodeSystem, ordinal: int, code: str) -> list[tuple[str, Any]]:
    if code == "definition":
        text = system.definition(ordinal)
        return [("valueString", text)] if text else []
    if code == "inactive":
        return [("valueBoolean", system.is_inactive(ordinal))]
    step = system.parents if code == "parent" else system.children
    return [("valueCode", system.code(one)) for one in step(ordinal)]


def _carried(code: str, element: str, value: Any) -> Resource:
    parts = [{"url": "code", "valueCode": code}, {"url": "value", element: value}]
    return {"url": CARRIED, "extension": parts}


def _element(one: Designation) -> Resource:
    made: Resource = {}
    extensions = [ext for ext in one.extension if ext.get("url") in _KEPT_OF_DESIGNATIONS]
    if extensions:
        made["extension"] = extensions
    if one.language:
        made["language"] = one.language
    if one.use:
        made["use"] = one.use
    made["value"] = one.value
    return made
