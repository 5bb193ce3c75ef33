"""A code that is validated: what was given, how to judge it, what was found, and the answer.

Filled by `terminology.core.validate`, read by the operations.
Spec: https://hl7.org/fhir/R4/valueset-operation-validate-code.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.errors import Severity
from terminology.core.displays import best_display
from terminology.core.findings import Finding, outcome
from terminology.core.membership import Member
from terminology.core.scope import Scope
from terminology.core.shapes import CodeSystem, Resource
from terminology.core.standing import STANDARDS_STATUS

DEPRECATED = "deprecated"


@dataclass(frozen=True, slots=True)
class Given:
    """A code to validate.

    Attributes:
        code: The code.
        system: Url of its system, "" without.
        version: Version of the system, "" without.
        display: Its display, "" without.
        location: FHIRPath of the coding, "" when code and system came apart.
    """

    code: str
    system: str = ""
    version: str = ""
    display: str = ""
    location: str = ""

    def at(self, element: str) -> str:
        """FHIRPath of one of its elements."""
        return f"{self.location}.{element}" if self.location else element

    @property
    def name(self) -> str:
        """`system|version#code ('display')` as far as it has them."""
        version = f"|{self.version}" if self.version else ""
        display = f" ('{self.display}')" if self.display else ""
        return f"{self.system}{version}#{self.code}{display}"


@dataclass(frozen=True, slots=True)
class Strictness:
    """How to judge.

    Attributes:
        active_only: An inactive code is not in the value set.
        lenient_display: A wrong display is a warning.
        membership_only: Nothing but being in the value set is looked at.
        infer_system: A code without a system may be found in the value set.
        abstract: False: abstract codes are refused; None or True: they are not.
    """

    active_only: bool = False
    lenient_display: bool = False
    membership_only: bool = False
    infer_system: bool = False
    abstract: bool | None = None


@dataclass(slots=True)
class Checked:
    """What was found about one code.

    Attributes:
        given: The code, with the system that was inferred.
        inside: It is in the value set, or in the code system when there is no value set.
        unsure: Whether that could not be told.
        system: Its code system as far as it was found.
        ordinal: Its concept there.
        listed: What the value set's include says of it.
        findings: What is wrong or worth telling.
        unknown: Code systems that are not known, `url` or `url|version`.
        caused_by: Those of the value set that are not.
    """

    given: Given
    inside: bool = False
    unsure: bool = False
    system: CodeSystem | None = None
    ordinal: int | None = None
    listed: Resource | None = None
    findings: list[Finding] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    caused_by: list[str] = field(default_factory=list)

    def tell(
        self, message: str, element: str = "", severity: Severity = "error", **arguments: object
    ) -> None:
        """Add a finding about an element ("" : about the coding itself)."""
        location = self.given.at(element) if element else self.given.location
        self.findings.append(Finding(message, severity, location, arguments))

    def place(self, found: Member) -> None:
        """Take over where it was found."""
        self.system, self.ordinal, self.listed = found.system, found.ordinal, found.listed


def status_of(system: CodeSystem, ordinal: int) -> str:
    """The status of a concept when it says more than active or inactive, else ""."""
    for value in system.values(ordinal, system.property_named("status")):
        if isinstance(value, str) and value not in ("active", "inactive"):
            return value
    for one in system.extensions(ordinal):
        if one.get("url") == STANDARDS_STATUS and one.get("valueCode") == DEPRECATED:
            return DEPRECATED
    return ""


# --- the answer -----------------------------------------------------------------------------


def answer(
    scope: Scope,
    checked: Sequence[Checked],
    together: Sequence[Finding],
    concept: Resource | None = None,
    language: str = "en",
    located: bool = True,
) -> dict[str, Any]:
    """The Parameters that tell what was found.

    Args:
        scope: For the language of displays.
        checked: Of each coding.
        together: Findings about all of them.
        concept: The CodeableConcept they are of; then one inside is enough.
        language: Of the messages.
        located: Whether issues have the older `location` beside `expression`.
    """
    findings = [*together, *(finding for one in checked for finding in one.findings)]
    inside = any(one.inside for one in checked)
    result = inside and not any(one.severity == "error" for one in findings)
    shown = next((one for one in checked if one.inside), None)
    if shown is None and concept is None and checked:
        shown = checked[0]
    made: list[dict[str, Any]] = [{"name": "result", "valueBoolean": result}]
    if shown is not None:
        made += _about(scope, shown)
    told = dict.fromkeys(one.text(language) for one in findings if one.told)
    if told:
        made.append({"name": "message", "valueString": "; ".join(sorted(told))})
    if concept is not None:
        made.append({"name": "codeableConcept", "valueCodeableConcept": concept})
    made += _canonicals("x-unknown-system", [one.unknown for one in checked])
    made += _canonicals("x-caused-by-unknown-system", [one.caused_by for one in checked])
    if findings:
        made.append({"name": "issues", "resource": outcome(findings, language, located)})
    return {"resourceType": "Parameters", "parameter": made}


def _canonicals(name: str, lists: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    urls = dict.fromkeys(url for one in lists for url in one)
    return [{"name": name, "valueCanonical": url} for url in urls]


def _about(scope: Scope, one: Checked) -> list[dict[str, Any]]:
    """Code, system, version, display and status of a code."""
    given, system, ordinal = one.given, one.system, one.ordinal
    made: list[dict[str, Any]] = [{"name": "code", "valueCode": given.code}]
    if system is not None and ordinal is not None and system.code(ordinal) != given.code:
        made.append({"name": "normalized-code", "valueCode": system.code(ordinal)})
    if given.system:
        made.append({"name": "system", "valueUri": given.system})
    if system is not None and system.version:
        made.append({"name": "version", "valueString": system.version})
    display = best_display(system, ordinal, one.listed, scope.languages)
    if display:
        made.append({"name": "display", "valueString": display})
    if system is not None and ordinal is not None:
        inactive, status = system.is_inactive(ordinal), status_of(system, ordinal)
        if inactive:
            made.append({"name": "inactive", "valueBoolean": True})
        if status and (inactive or status == DEPRECATED):
            made.append({"name": "status", "valueCode": status})
    return made
