"""The hub's exceptions: each carries a FHIR issue, its HTTP status and a stable message id.

One exception tree for every layer. The text of a message lives in the tables of
`hub.messages` (English and Chinese) under its stable id; an exception holds only the id and
the arguments, never a patient's data. `hub.rest.outcomes` renders them as OperationOutcome
(https://hl7.org/fhir/R4/operationoutcome.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One OperationOutcome.issue.

    Attributes:
        severity: IssueSeverity code.
        code: IssueType code (https://hl7.org/fhir/R4/valueset-issue-type.html).
        message: Stable message id, a key of `hub.messages.MESSAGES`.
        arguments: Values for the message's named placeholders. Element names, types,
            limits and codes are fine here; a patient's data is not.
        location: FHIRPath of the element, as `Observation.component[1].code`; empty if none.
    """

    severity: Severity
    code: str
    message: str
    arguments: dict[str, object] = field(default_factory=dict)
    location: str = ""


class HubError(Exception):
    """Something the caller is told about by an OperationOutcome."""

    status = 400

    def __init__(self, issues: Sequence[Issue] | Issue, status: int | None = None) -> None:
        """Keep the issues.

        Args:
            issues: One issue or several; at least one.
            status: HTTP status when it differs from the class's.
        """
        self.issues: tuple[Issue, ...] = (issues,) if isinstance(issues, Issue) else tuple(issues)
        if status is not None:
            self.status = status
        super().__init__(", ".join(issue.message for issue in self.issues))


def fault(
    code: str,
    message: str,
    /,
    location: str = "",
    severity: Severity = "error",
    **arguments: object,
) -> Issue:
    """Make an issue of severity error in one line.

    Args:
        code: IssueType code.
        message: Stable message id.
        location: FHIRPath of the element.
        severity: IssueSeverity code.
        **arguments: Values for the message's placeholders.
    """
    return Issue(severity, code, message, arguments, location)


class BadRequest(HubError):
    """400: cannot be understood (syntax, unknown parameter in strict mode, bad id)."""

    status = 400


class Forbidden(HubError):
    """403: whoever asks is known, and may not do that."""

    status = 403


class NotFound(HubError):
    """404: no such resource, version or type."""

    status = 404


class MethodNotAllowed(HubError):
    """405: the interaction is not supported here."""

    status = 405


class NotAcceptable(HubError):
    """406: none of the formats asked for can be made."""

    status = 406


class Conflict(HubError):
    """409: a version, reference or uniqueness rule stands against it."""

    status = 409


class Gone(HubError):
    """410: the resource was deleted."""

    status = 410


class PreconditionFailed(HubError):
    """412: If-Match failed or a conditional interaction matched several."""

    status = 412


class TooLarge(HubError):
    """413: the body is over the limit."""

    status = 413


class UnsupportedMediaType(HubError):
    """415: the body's format is not supported."""

    status = 415


class Unprocessable(HubError):
    """422: understood, but breaks FHIR's or the server's rules."""

    status = 422


class TooCostly(HubError):
    """403 too-costly: the search would scan beyond its deadline."""

    status = 403


class DamagedStorage(HubError):
    """500: what is stored cannot be read; the administrator has to put a backup in its place."""

    status = 500


class InsufficientStorage(HubError):
    """507: the disk is full; nothing was stored, and sending again helps only once there is room.

    Not 503: clients and proxies repeat a 503 by themselves, with all of its body. RFC 4918, 11.5.
    """

    status = 507


class Unavailable(HubError):
    """503: the store or the writer cannot answer now; nothing was stored."""

    status = 503


def words_of(error: OSError) -> str:
    """What the system refused, in one line, for the command line: it names the file."""
    if error.args and isinstance(error.args[0], list):  # shutil's, of everything it copied
        return str(error.args[0][0][-1])
    if error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)
