"""Is this code valid: in a code system, and in a value set.

The answer has all that is wrong, each with its place; whether the code is valid depends on the
errors among it. Spec: https://hl7.org/fhir/R4/valueset-operation-validate-code.html,
https://hl7.org/fhir/R4/codesystem-operation-validate-code.html; what is told how follows the
terminology ecosystem's expectations.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.errors import Severity
from terminology.core.checked import DEPRECATED, Checked, Given, Strictness, status_of
from terminology.core.displays import display_finding, words
from terminology.core.effort import VALIDATED
from terminology.core.findings import Finding, Refused
from terminology.core.membership import (
    Doubts,
    is_inactive,
    member,
    systems,
    unknown_system,
    used_systems,
)
from terminology.core.scope import CHECK, DEFAULT, FORCE, Scope
from terminology.core.shapes import CodeSystem, ValueSet, objects
from terminology.core.standing import notable, told
from terminology.core.value_set import Ready, ready

LISTED_DEPRECATED = "http://hl7.org/fhir/StructureDefinition/valueset-deprecated"

ERROR: Severity = "error"
WARNING: Severity = "warning"
_FRAGMENTS = frozenset(("fragment", "example"))


# --- in a value set -------------------------------------------------------------------------


def in_value_set(
    scope: Scope, value_set: ValueSet, codings: Sequence[Given], how: Strictness, concept: bool
) -> tuple[list[Checked], list[Finding]]:
    """Check codes against a value set.

    Args:
        scope: The content and its rules.
        value_set: The value set.
        codings: The codes; one unless `concept`.
        how: How to judge.
        concept: They are the codings of one CodeableConcept, of which one has to be inside.

    Returns:
        What was found of each, and what is wrong with them together.

    Raises:
        Refused: The value set cannot be used, a supplement is not there, or there are too many
            codes.
    """
    name = value_set.canonical or "(unidentified)"
    try:
        prepared = ready(scope, value_set)
    except Refused as refused:
        if refused.status != 404:
            raise
        unsure = [Checked(one, unsure=True) for one in codings]
        return unsure, list(refused.findings)
    if scope.supplements:
        scope.require_supplements(used_systems(scope, prepared))
    scope.effort.spend(VALIDATED * len(codings))
    checked = [_in_value_set(scope, prepared, name, one, how, concept) for one in codings]
    together: list[Finding] = []
    if not how.membership_only:
        used = [one.system for one in checked if one.inside and one.system is not None]
        together += [told(one) for one in notable(value_set, used)]
    if concept and not any(one.inside or one.unsure for one in checked):
        together.append(Finding("tx-none-in-value-set", arguments={"value_set": name}))
    return checked, together


def _in_value_set(
    scope: Scope, prepared: Ready, name: str, given: Given, how: Strictness, concept: bool
) -> Checked:
    if not given.system and how.infer_system:
        inferred = _inferred(scope, prepared, name, given)
        if isinstance(inferred, Checked):
            return inferred
        given = inferred
    checked = Checked(given)
    doubts = Doubts()
    found = None
    if given.system:
        found = member(
            scope, prepared, given.system, given.code, given.version, doubts, how.active_only
        )
    if found is not None:
        checked.place(found)
        checked.inside = True
        if not how.membership_only:
            _compare_versions(scope, checked, found.part.version, found.wanted, found.rule)
            _look_at_activity(checked)
            _look_at_listing(checked, name)
        if is_inactive(found) and (how.active_only or prepared.active_only):
            checked.inside = False
            checked.tell("tx-not-active", "code", code=given.code)
    elif doubts.choices:
        _tell_doubts(scope, checked, doubts)
    if found is None and not how.membership_only:
        _place_outside(scope, checked)
    if not checked.inside and not checked.unsure:
        _tell_outside(checked, name, concept)
    if not how.membership_only:
        _look_at_display(scope, checked, how)
        _look_at_abstract(checked, how)
    return checked


def _tell_outside(checked: Checked, name: str, concept: bool) -> None:
    message = "tx-this-not-in-value-set" if concept else "tx-not-in-value-set"
    checked.findings.append(
        Finding(
            message,
            "information" if concept else "error",
            checked.given.at("code"),
            {"coding": checked.given.name, "value_set": name},
            told=not concept,
        )
    )


def _inferred(scope: Scope, prepared: Ready, name: str, given: Given) -> Given | Checked:
    """The code with the one system of the value set that has it."""
    there = [
        system
        for system in systems(prepared)
        if member(scope, prepared, system, given.code, given.version, Doubts()) is not None
    ]
    if len(there) == 1:
        return Given(given.code, there[0], given.version, given.display, given.location)
    checked = Checked(given)
    if there:
        listed = ", ".join(there)
        checked.tell("tx-system-ambiguous", "code", code=given.code, value_set=name, systems=listed)
    else:
        checked.tell("tx-system-not-inferred", "code", code=given.code, value_set=name)
    _tell_outside(checked, name, False)
    return checked


def _tell_doubts(scope: Scope, checked: Checked, doubts: Doubts) -> None:
    """That includes of the code's system could not be answered."""
    given = checked.given
    checked.unsure = True
    for part, choice in doubts.choices:
        finding = unknown_system(scope, part.system, choice.wanted, given.at("system"))
        if finding not in checked.findings:
            checked.findings.append(finding)
            version = f"|{choice.wanted}" if choice.wanted else ""
            checked.caused_by.append(part.system + version)
        if given.version:
            _tell_mismatch(checked, part.version, choice.wanted, choice.rule)


# --- versions -------------------------------------------------------------------------------


def _compare_versions(
    scope: Scope, checked: Checked, included: str, wanted: str, rule: str
) -> None:
    """Whether the version that came with the code is the one that was used."""
    given, system = checked.given, checked.system
    if system is None:
        return
    wrong = scope.checked(given.system, system, given.at("version"))
    if wrong is not None:
        checked.findings.append(wrong)
    if not given.version or given.version == system.version:
        return
    if not scope.has(given.system, given.version):
        checked.findings.append(
            unknown_system(scope, given.system, given.version, given.at("system"))
        )
        checked.caused_by.append(f"{given.system}|{given.version}")
    _tell_mismatch(checked, included, wanted, rule)


def _tell_mismatch(checked: Checked, included: str, wanted: str, rule: str) -> None:
    given = checked.given
    arguments: dict[str, object] = {
        "system": given.system,
        "version": wanted,
        "given": given.version,
        "included": included,
    }
    message, severity = "tx-version-mismatch", ERROR
    if rule in (FORCE, DEFAULT, CHECK) and wanted != included:
        message = "tx-version-mismatch-changed"
    elif not wanted and checked.system is not None:
        message, severity = "tx-version-mismatch-default", WARNING
        arguments["version"] = checked.system.version
    elif not wanted:
        return
    checked.findings.append(
        Finding(message, severity, given.at("version"), arguments, told=severity == ERROR)
    )


# --- in the code system ---------------------------------------------------------------------


def _place_outside(scope: Scope, checked: Checked) -> None:
    """Look a code up that is not in the value set, or that is asked about by itself."""
    given = checked.given
    if not given.system:
        if given.location:
            checked.tell("tx-system-missing", severity="warning")
        return
    if ":" not in given.system:
        checked.tell("tx-system-relative", "system")
    choice = scope.choose(given.system, "", given.version)
    system = choice.system
    if system is not None and given.version and not scope.has(given.system, given.version):
        system = None
    if system is not None:
        checked.system, checked.ordinal = system, system.find(given.code)
        if checked.ordinal is None and not checked.unsure:
            _tell_unknown_code(checked, system)
        elif not checked.unsure:
            _look_at_activity(checked)
    elif checked.unsure:
        return
    elif scope.value_set(given.system) is not None:
        checked.tell("tx-system-value-set", "system", system=given.system)
    else:
        checked.findings.append(
            unknown_system(scope, given.system, given.version, given.at("system"))
        )
        known = scope.versions(given.system)
        checked.unknown.append(given.system + (f"|{given.version}" if known else ""))


def _tell_unknown_code(checked: Checked, system: CodeSystem) -> None:
    message, severity = "tx-code-unknown", ERROR
    if system.content in _FRAGMENTS:
        message, severity = "tx-code-unknown-fragment", WARNING
    elif not system.version:
        message = "tx-code-unknown-no-version"
    code, version = checked.given.code, system.version
    checked.tell(message, "code", severity, code=code, system=system.url, version=version)


def _look_at_activity(checked: Checked) -> None:
    """Whether the concept is still for use, and written as it should be."""
    system, ordinal = checked.system, checked.ordinal
    if system is None or ordinal is None:
        return
    correct = system.code(ordinal)
    if correct != checked.given.code:
        found = {"code": checked.given.code, "correct": correct, "system": system.canonical}
        where = checked.given.at("code")
        checked.findings.append(Finding("tx-code-case", "information", where, {**found}, False))
    status = status_of(system, ordinal)
    element = "" if checked.given.location else "code"
    if system.is_inactive(ordinal):
        words_of_status = f"{status} and inactive" if status else "inactive"
        checked.tell("tx-inactive", element, WARNING, code=correct, status=words_of_status)
    elif status == DEPRECATED:
        checked.tell("tx-deprecated", element, WARNING, code=correct)


def _look_at_listing(checked: Checked, name: str) -> None:
    """Whether the value set itself advises against the code."""
    given = checked.given
    for one in objects((checked.listed or {}).get("extension")):
        if one.get("url") == LISTED_DEPRECATED and one.get("valueBoolean") is True:
            element = "" if given.location else "code"
            checked.tell(
                "tx-deprecated-here",
                element,
                WARNING,
                code=given.code,
                system=given.system,
                value_set=name,
            )


def _look_at_display(scope: Scope, checked: Checked, how: Strictness) -> None:
    given = checked.given
    if not given.display or (checked.ordinal is None and checked.listed is None):
        return
    display, language, others = words(checked.system, checked.ordinal, checked.listed)
    wrong = display_finding(
        given.display,
        (given.system, given.code),
        display,
        language,
        others,
        scope.languages,
        given.at("display"),
        "warning" if how.lenient_display else "error",
    )
    if wrong is not None:
        checked.findings.append(wrong)


def _look_at_abstract(checked: Checked, how: Strictness) -> None:
    system, ordinal = checked.system, checked.ordinal
    if how.abstract is not False or system is None or ordinal is None:
        return
    if system.is_abstract(ordinal):
        checked.tell("tx-abstract", "code", system=system.url, code=checked.given.code)


def in_code_system(scope: Scope, codings: Sequence[Given], how: Strictness) -> list[Checked]:
    """Check codes against their own code systems.

    Args:
        scope: The content and its rules.
        codings: The codes.
        how: How to judge.

    Raises:
        Refused: A supplement is not there, or there are too many codes.
    """
    found = []
    scope.effort.spend(VALIDATED * len(codings))
    for given in codings:
        checked = Checked(given)
        _place_outside(scope, checked)
        if checked.system is not None:
            scope.require_supplements([checked.system])
        fragment = checked.system is not None and checked.system.content in _FRAGMENTS
        checked.inside = checked.ordinal is not None or fragment
        _look_at_display(scope, checked, how)
        _look_at_abstract(checked, how)
        found.append(checked)
    return found
