"""Table maps: local codes and codes of HL7 v2 tables to FHIR's.

Called by `adapters.hl7v2.mapping.library`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from adapters.hl7v2.mapping.grammar import wrong
from adapters.hl7v2.mapping.run import Run
from hub.definitions import conformance

_FHIR = "http://hl7.org/fhir/"
V2_SYSTEM = "http://terminology.hl7.org/CodeSystem/v2-"


class Target(NamedTuple):
    """What a code becomes."""

    code: str
    display: str
    system: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table map.

    Attributes:
        name: Of its file.
        local: System of the codes on the left, "" if they have none.
        added: Codes on the left that a site added: they are in no system.
        codes: Left to right.
        unknown: Instead of a code that is not on the left, where one must be.
    """

    name: str
    local: str
    added: frozenset[str]
    codes: Mapping[str, Target]
    unknown: Target | None

    def find(self, code: str) -> Target | None:
        """What a code becomes; upper and lower case alike."""
        return self.codes.get(code) or self.codes.get(code.upper())

    def code(self, run: Run, text: str) -> str | None:
        """Into a code."""
        found = self.find(text)
        if found is not None:
            return found.code or None
        run.problem("hl7v2-code-unknown", table=self.name)
        return None if self.unknown is None else self.unknown.code

    def coding(self, run: Run, local: dict[str, Any]) -> dict[str, Any] | None:
        """Into a Coding: the mapped one, else the local one."""
        found = self.find(local.get("code", ""))
        if found is not None:
            return _coding(found) if found.code else None
        run.problem("hl7v2-code-unknown", table=self.name)
        if self.unknown is not None:
            return _coding(self.unknown)
        return {"system": self.local, **local} if self.local else local

    def concept(self, run: Run, concept: dict[str, Any]) -> dict[str, Any]:
        """Into a CodeableConcept: the mapped coding first, the local one beside it."""
        codings: list[dict[str, Any]] = concept.get("coding", [])
        if not codings or "code" not in codings[0]:
            return concept
        local = codings[0]
        found = self.find(local["code"])
        if found is None:
            run.problem("hl7v2-code-unknown", table=self.name)
            return concept
        if self.local and "system" not in local and local["code"] not in self.added:
            local = {"system": self.local, **local}
        if not found.code:
            return {**concept, "coding": [local, *codings[1:]]}
        mapped = _coding(found)
        same = local["code"] == mapped["code"] and local.get("system") == mapped.get("system")
        rest = codings[1:] if same else [local, *codings[1:]]
        if same and "display" in local:
            mapped["display"] = local["display"]
        return {**concept, "coding": [mapped, *rest]}


def _coding(found: Target) -> dict[str, Any]:
    coding = {"system": found.system, "code": found.code}
    if not found.system:
        del coding["system"]
    if found.display:
        coding["display"] = found.display
    return coding


def table(name: str, content: Mapping[str, Any], place: str) -> Table:
    """A table map from its YAML.

    Args:
        name: Of its file.
        content: Of its file.
        place: For errors.

    Raises:
        MapError: It has a key that means nothing, or a code that goes nowhere.
    """
    for key in content:
        if key not in ("table", "system", "unknown", "codes", "added"):
            raise wrong(f"{place} {key}", "hl7v2-map-word", word=key)
    system = content.get("system", "")
    codes: dict[str, Target] = {}
    for code, target in content.get("codes", {}).items():
        if isinstance(target, str):
            target = [target]
        if not isinstance(target, list) or not 1 <= len(target) <= 3:
            raise wrong(
                f"{place} {code}", "hl7v2-map-shape", wanted="code, [code, display, system]"
            )
        display = target[1] if len(target) > 1 else ""
        codes[code] = Target(target[0], display, target[2] if len(target) > 2 else system)
    number = content.get("table", "")
    unknown = content.get("unknown", "")
    return Table(
        name,
        V2_SYSTEM + number if number else "",
        frozenset(content.get("added", ())),
        codes,
        Target(unknown, "", system) if unknown else None,
    )


def refuse_strange_targets(table: Table, place: str) -> None:
    """Refuse a site's codes that lead to none of a code system of FHIR: no message would be valid.

    Args:
        table: With the site's codes in it.
        place: For errors.

    Raises:
        MapError: One does.
    """
    for code, target in table.codes.items():
        known = _codes_of(target.system) if target.code else ()
        if known and target.code not in known:
            raise wrong(
                f"{place} {code}",
                "hl7v2-map-target",
                code=target.code,
                system=target.system,
                known=", ".join(known),
            )


@lru_cache(maxsize=64)
def _codes_of(system: str) -> tuple[str, ...]:
    """The codes of one of FHIR's own code systems; none of what is not known whole."""
    found = conformance(system) if system.startswith(_FHIR) else None
    if found is None or found.get("content") != "complete":
        return ()
    waiting, codes = list(found.get("concept", ())), []
    while waiting:
        concept = waiting.pop(0)
        codes.append(concept["code"])
        waiting += concept.get("concept", ())
    return tuple(codes)
