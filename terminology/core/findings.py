"""What the service finds wrong, and how it is told.

A finding has the code of the terminology ecosystem's issue types (`tx-issue-type`) and its
message id, which clients of terminology servers look for; the words are ours in
`hub.messages.terminology`. Spec: https://hl7.org/fhir/R4/operationoutcome.html and
https://build.fhir.org/ig/HL7/fhir-tx-ecosystem-ig
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from hub.errors import HubError, Issue, Severity
from hub.messages import render

ISSUE_TYPES = "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type"
MESSAGE_ID = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"


class Kind(NamedTuple):
    """Issue type, tx-issue-type ("" for none) and message id of the ecosystem ("" for none)."""

    code: str
    detail: str
    id: str


KINDS = MappingProxyType(
    {
        "tx-value-set-unknown": Kind("not-found", "not-found", "Unable_to_resolve_value_Set_"),
        "tx-system-unknown": Kind("not-found", "not-found", "UNKNOWN_CODESYSTEM"),
        "tx-system-unknown-expand": Kind("not-found", "not-found", "UNKNOWN_CODESYSTEM_EXP"),
        "tx-version-unknown": Kind("not-found", "not-found", "UNKNOWN_CODESYSTEM_VERSION"),
        "tx-version-unknown-none": Kind(
            "not-found", "not-found", "UNKNOWN_CODESYSTEM_VERSION_NONE"
        ),
        "tx-version-unknown-expand": Kind(
            "not-found", "not-found", "UNKNOWN_CODESYSTEM_VERSION_EXP"
        ),
        "tx-version-unknown-none-expand": Kind(
            "not-found", "not-found", "UNKNOWN_CODESYSTEM_VERSION_EXP_NONE"
        ),
        "tx-supplement-unknown": Kind("not-found", "not-found", "VALUESET_SUPPLEMENT_MISSING"),
        "tx-version-mismatch": Kind("invalid", "vs-invalid", "VALUESET_VALUE_MISMATCH"),
        "tx-version-mismatch-changed": Kind(
            "invalid", "vs-invalid", "VALUESET_VALUE_MISMATCH_CHANGED"
        ),
        "tx-version-mismatch-default": Kind(
            "invalid", "vs-invalid", "VALUESET_VALUE_MISMATCH_DEFAULT"
        ),
        "tx-version-check": Kind("exception", "version-error", "VALUESET_VERSION_CHECK"),
        "tx-not-in-value-set": Kind(
            "code-invalid", "not-in-vs", "None_of_the_provided_codes_are_in_the_value_set_one"
        ),
        "tx-this-not-in-value-set": Kind(
            "code-invalid",
            "this-code-not-in-vs",
            "None_of_the_provided_codes_are_in_the_value_set_one",
        ),
        "tx-none-in-value-set": Kind("code-invalid", "not-in-vs", "TX_GENERAL_CC_ERROR_MESSAGE"),
        "tx-code-unknown": Kind("code-invalid", "invalid-code", "Unknown_Code_in_Version"),
        "tx-code-unknown-no-version": Kind("code-invalid", "invalid-code", "Unknown_Code_in"),
        "tx-code-unknown-fragment": Kind(
            "code-invalid", "invalid-code", "UNKNOWN_CODE_IN_FRAGMENT"
        ),
        "tx-code-case": Kind("business-rule", "code-rule", "CODE_CASE_DIFFERENCE"),
        "tx-system-not-inferred": Kind("not-found", "cannot-infer", "UNABLE_TO_INFER_CODESYSTEM"),
        "tx-system-ambiguous": Kind(
            "not-found",
            "cannot-infer",
            "Unable_to_resolve_system__value_set_has_multiple_matches",
        ),
        "tx-system-missing": Kind(
            "invalid", "invalid-data", "Coding_has_no_system__cannot_validate"
        ),
        "tx-system-relative": Kind("invalid", "invalid-data", "Terminology_TX_System_Relative"),
        "tx-system-value-set": Kind("invalid", "invalid-data", "Terminology_TX_System_ValueSet2"),
        "tx-display": Kind(
            "invalid", "invalid-display", "Display_Name_for__should_be_one_of__instead_of"
        ),
        "tx-display-several": Kind(
            "invalid", "invalid-display", "Display_Name_for__should_be_one_of__instead_of"
        ),
        "tx-display-space": Kind(
            "invalid", "invalid-display", "Display_Name_WS_for__should_be_one_of__instead_of"
        ),
        "tx-display-gone": Kind("invalid", "display-comment", "INACTIVE_DISPLAY_FOUND"),
        "tx-display-default": Kind(
            "invalid", "invalid-display", "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_OK"
        ),
        "tx-display-no-language": Kind(
            "invalid", "invalid-display", "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_ERR"
        ),
        "tx-inactive": Kind("business-rule", "code-comment", "INACTIVE_CONCEPT_FOUND"),
        "tx-not-active": Kind("business-rule", "code-rule", "STATUS_CODE_WARNING_CODE"),
        "tx-deprecated": Kind("business-rule", "code-comment", "DEPRECATED_CONCEPT_FOUND"),
        "tx-deprecated-here": Kind(
            "business-rule", "code-comment", "CONCEPT_DEPRECATED_IN_VALUESET"
        ),
        "tx-standing-deprecated": Kind("business-rule", "status-check", "MSG_DEPRECATED"),
        "tx-standing-withdrawn": Kind("business-rule", "status-check", "MSG_WITHDRAWN"),
        "tx-standing-retired": Kind("business-rule", "status-check", "MSG_RETIRED"),
        "tx-standing-draft": Kind("business-rule", "status-check", "MSG_DRAFT"),
        "tx-standing-experimental": Kind("business-rule", "status-check", "MSG_EXPERIMENTAL"),
        "tx-abstract": Kind("business-rule", "code-rule", "ABSTRACT_CODE_NOT_ALLOWED"),
        "tx-filter-no-value": Kind(
            "invalid", "vs-invalid", "UNABLE_TO_HANDLE_SYSTEM_FILTER_WITH_NO_VALUE"
        ),
        "tx-filter-unsupported": Kind("not-supported", "vs-invalid", ""),
        "tx-filter-regex": Kind("invalid", "vs-invalid", ""),
        "tx-filter-slow": Kind("too-costly", "too-costly", ""),
        "tx-cyclic": Kind("processing", "vs-invalid", "VALUESET_CIRCULAR_REFERENCE"),
        "tx-too-deep": Kind("too-costly", "too-costly", ""),
        "tx-too-many-imports": Kind("too-costly", "too-costly", ""),
        "tx-not-enumerable": Kind("too-costly", "too-costly", "CODESYSTEM_NOT_ENUMERABLE"),
        "tx-too-much-work": Kind("too-costly", "too-costly", ""),
        "tx-too-costly": Kind("too-costly", "too-costly", "VALUESET_TOO_COSTLY"),
        "tx-compose-shape": Kind("invalid", "vs-invalid", ""),
        "tx-nothing-to-validate": Kind("invalid", "", ""),
        "tx-nothing-to-expand": Kind("invalid", "vs-invalid", ""),
    }
)

_EXPRESSION_ONLY = frozenset(("invalid-display",))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes:
        message: Id, a key of `KINDS` and of the catalogue of messages.
        severity: IssueSeverity code.
        location: FHIRPath of what was asked about, "" for none.
        arguments: For the message's words.
        told: Whether the parameter `message` repeats it.
        hint: Id of a message that says what to do, "" for none; it has the same arguments.
    """

    message: str
    severity: Severity = "error"
    location: str = ""
    arguments: dict[str, object] = field(default_factory=dict)
    told: bool = True
    hint: str = ""

    def text(self, language: str = "en") -> str:
        """The words."""
        return render(self.message, self.arguments, language)

    def as_issue(self, language: str = "en", located: bool = True) -> dict[str, Any]:
        """As OperationOutcome.issue.

        Args:
            language: Of the words.
            located: With the older `location` too, which says the same as `expression`.
        """
        kind, text = KINDS[self.message], self.text(language)
        made: dict[str, Any] = {}
        if kind.id:
            made["extension"] = [{"url": MESSAGE_ID, "valueString": kind.id}]
        made |= {"severity": self.severity, "code": kind.code, "details": {"text": text}}
        if kind.detail:
            coding = [{"system": ISSUE_TYPES, "code": kind.detail}]
            made["details"] = {"coding": coding, "text": text}
        if self.hint:
            made["diagnostics"] = render(self.hint, self.arguments, language)
        if self.location:
            if located and kind.detail not in _EXPRESSION_ONLY:
                made["location"] = [self.location]
            made["expression"] = [self.location]
        return made


class Refused(HubError):
    """The question cannot be answered; operations tell its findings in an OperationOutcome."""

    status = 422

    def __init__(self, *findings: Finding, status: int = 422) -> None:
        """Keep the findings; elsewhere than in operations they are shown as plain issues."""
        self.findings = findings
        super().__init__(
            tuple(
                Issue(
                    one.severity, KINDS[one.message].code, one.message, one.arguments, one.location
                )
                for one in findings
            ),
            status,
        )


def outcome(
    findings: Sequence[Finding], language: str = "en", located: bool = True
) -> dict[str, Any]:
    """An OperationOutcome of findings; arguments as for `Finding.as_issue`."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [one.as_issue(language, located) for one in findings],
    }
