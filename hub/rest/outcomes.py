"""Render issues as an OperationOutcome in the client's language and format.

Called by the dispatcher for every error and by handlers for `Prefer: return=OperationOutcome`.
Spec: https://hl7.org/fhir/R4/operationoutcome.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hub.errors import Issue
from hub.interactions.outcome import operation_outcome
from hub.model import json
from hub.rest.exchange import Answer, Format, Header

MOST_ISSUES = 500
_LONGEST = 2000
# What XML 1.0 cannot carry, and halves of surrogate pairs, which UTF-8 cannot.
_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def _sendable(node: Any) -> Any:
    """The same tree with texts cut and cleaned: an issue may quote a client's own words."""
    if isinstance(node, str):
        return _UNSENDABLE.sub("\ufffd", node[:_LONGEST])
    if isinstance(node, list):
        return [_sendable(item) for item in node]
    return {name: _sendable(item) for name, item in node.items()}


def outcome(issues: Sequence[Issue], language: str) -> dict[str, Any]:
    """An OperationOutcome with up to `MOST_ISSUES` of the issues.

    Args:
        issues: What to tell.
        language: `en` or `zh`.
    """
    found: dict[str, Any] = _sendable(operation_outcome(issues[:MOST_ISSUES], language))
    return found


def body(resource: dict[str, Any], format: Format) -> bytes:
    """A resource as bytes in the negotiated format."""
    if format.name == "xml":
        from hub.model.xml import serialize  # loads lxml

        return serialize(resource, pretty=format.pretty)
    return json.encode_pretty(resource) if format.pretty else json.encode(resource)


def answer(
    status: int,
    issues: Sequence[Issue],
    language: str,
    format: Format,
    headers: tuple[Header, ...] = (),
) -> Answer:
    """An answer whose body is an OperationOutcome.

    Args:
        status: HTTP status.
        issues: What to tell.
        language: `en` or `zh`.
        format: How to render.
        headers: More headers.
    """
    return Answer(
        status,
        ((b"content-type", format.content_type), *headers),
        body(outcome(issues, language), format),
    )
