"""Issues as an OperationOutcome resource (https://hl7.org/fhir/R4/operationoutcome.html).

Called for outcomes inside bundles (batch responses, searchset outcome entries) and by the edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.errors import Issue
from hub.messages import render

CODES = "urn:fhir-hub:message"
"""System of the stable message id in issue.details.coding."""


def operation_outcome(issues: Sequence[Issue], language: str = "en") -> dict[str, Any]:
    """An OperationOutcome with one issue per issue, in order.

    Args:
        issues: At least one; an empty sequence becomes one informational "all is well".
        language: BCP-47 tag of the texts.
    """
    shown = issues or (Issue("information", "informational", "all-ok"),)
    return {
        "resourceType": "OperationOutcome",
        "issue": [_issue(issue, language) for issue in shown],
    }


def _text(issue: Issue, language: str) -> str:
    try:
        return render(issue.message, issue.arguments, language)
    except (LookupError, ValueError, TypeError, AttributeError):
        # A mistake in a message must not hide what it is about.
        return render("problem", {"name": issue.message}, language)


def _issue(issue: Issue, language: str) -> dict[str, Any]:
    text = _text(issue, language)
    made: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"coding": [{"system": CODES, "code": issue.message}], "text": text},
        "diagnostics": text,
    }
    if issue.location:
        made["expression"] = [issue.location]
    return made
