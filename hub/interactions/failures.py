"""What an exception means to the client: a status and issues.

Called by `hub.rest.dispatcher` and for the entries of bundles. Anything that is not listed is a
mistake of ours: 500, counted and logged.
"""

from __future__ import annotations

from hub.errors import Conflict, HubError, TooCostly, fault
from hub.interactions.unavailable import unavailable
from hub.storage.port import CommitRefused, DeadlineExceeded, StoreUnavailable


def as_hub_error(error: Exception, request_id: str) -> tuple[HubError, bool]:
    """The error to tell the client, and whether it was expected.

    Args:
        error: What a handler raised.
        request_id: Named in the text of an unexpected one, for whoever looks it up.
    """
    if isinstance(error, HubError):
        return error, True
    if isinstance(error, StoreUnavailable):
        return unavailable(error), True
    if isinstance(error, DeadlineExceeded):
        return TooCostly(fault("too-costly", "search-too-costly")), True
    if isinstance(error, CommitRefused):
        return Conflict(fault("conflict", "commit-refused")), True
    unexpected = HubError(
        fault("exception", "error-unexpected", severity="fatal", request=request_id), 500
    )
    return unexpected, False
