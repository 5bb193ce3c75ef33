"""What is said of a resource that is not there, or that whoever asks may not see.

The same words for both: an answer must not tell that something exists. Called by the
interactions and `hub.interactions.sight`.
Spec: https://hl7.org/fhir/R4/http.html#read
"""

from __future__ import annotations

from hub.errors import Gone, NotFound, fault
from hub.interactions.validated import known_type
from hub.model.identity import valid_id
from hub.storage.port import Stored


def absent(type: str, id: str) -> NotFound:
    """The error for a resource that never was; an id that can be none is not repeated.

    Raises:
        NotFound: The type is none of R4.
    """
    known_type(type)
    return NotFound(
        fault("not-found", "resource-not-found", type=type, id=id if valid_id(id) else "?")
    )


def gone(stored: Stored) -> Gone:
    """The error for a tombstone."""
    return Gone(fault("deleted", "resource-gone", type=stored.type, id=stored.id))
