"""Bundle.entry.response of each entry of a batch or transaction.

Called by `hub.interactions.batch` and `hub.interactions.transaction`.
Spec: https://hl7.org/fhir/R4/bundle.html, http.html#transaction-response
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from hub.context import Context
from hub.errors import Issue
from hub.interactions.answer import Entry, Prefer, Response
from hub.interactions.entries import within
from hub.interactions.failures import as_hub_error
from hub.interactions.outcome import operation_outcome
from hub.storage.port import Stored

_LOG = logging.getLogger(__name__)


def changed_entry(
    ctx: Context,
    stored: Stored | None,
    status: int,
    issues: tuple[Issue, ...],
    prefer: Prefer,
    written: bool = True,
) -> Entry:
    """The entry for something written or found.

    Args:
        ctx: Base and language.
        stored: The version that is current now, None if there is none.
        status: HTTP status.
        issues: Warnings.
        prefer: Decides whether the resource or an OperationOutcome comes along.
        written: See `Response.written`.
    """
    outcome = None
    if issues or prefer.returned == "OperationOutcome":
        outcome = operation_outcome(issues, ctx.language)
    if stored is None:
        return Entry(response=Response(status_line(status), outcome=outcome, written=written))
    type, id, version, updated = stored[:4]
    response = Response(
        status_line(status),
        "" if stored.deleted else f"{type}/{id}/_history/{version}",
        f'W/"{version}"',
        updated,
        outcome,
        written,
    )
    if prefer.returned == "representation" and not stored.deleted:
        return Entry(f"{ctx.base}/{type}/{id}", stored, response=response)
    return Entry(response=response)


def read_entry_of(ctx: Context, stored: Stored) -> Entry:
    """The entry for a resource that was read."""
    type, id, version, updated = stored[:4]
    return Entry(
        f"{ctx.base}/{type}/{id}",
        stored,
        response=Response(status_line(200), etag=f'W/"{version}"', updated=updated),
    )


def failed_entry(ctx: Context, error: Exception, location: str = "") -> Entry:
    """The entry for what was refused, or failed in a way that nobody foresaw.

    Args:
        ctx: Language and request.
        error: What was raised; logged when it is a mistake of ours.
        location: `Bundle.entry[3]`; what errors without a location are about is its request.
    """
    told, expected = as_hub_error(error, ctx.request_id)
    if not expected:
        _LOG.error(
            "unexpected error in %s", location, exc_info=error, extra={"request": ctx.request_id}
        )
    elif told is error and location:
        told = within(told, location, "request")
    outcome = operation_outcome(told.issues, ctx.language)
    return Entry(
        response=Response(status_line(told.status), outcome=outcome, unforeseen=not expected)
    )


def status_line(status: int) -> str:
    """`201 Created`."""
    return f"{status} {HTTPStatus(status).phrase}"
