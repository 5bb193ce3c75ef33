"""Queries inside a transaction that name its entries by fullUrl, as `patient=urn:uuid:...`.

Reads and conditional references see the state after the writes: there a fullUrl becomes the
`Type/id` it stands for. The conditions that decide what is written come before it, and refuse one
rather than find nothing. Called by `hub.interactions.transaction`, `.transaction_plan` and
`.conditional_references`. Spec: https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from hub.errors import BadRequest, fault
from hub.interactions.entries import EntryRequest
from hub.interactions.url import Parameters, query_of


def with_targets(search: Parameters, targets: Mapping[str, str]) -> Parameters:
    """The same parameters, whole values that are a fullUrl replaced.

    Args:
        search: Names and values, decoded.
        targets: fullUrl to `Type/id`.
    """
    return tuple(
        (name, ",".join([targets.get(part, part) for part in value.split(",")]))
        for name, value in search
    )


def refuse_links(entry: EntryRequest, urls: Container[str]) -> None:
    """Refuse a condition that names an entry.

    Args:
        entry: A writing entry.
        urls: The fullUrls of the bundle.

    Raises:
        BadRequest: `condition-names-entry`; for `within` to locate.
    """
    condition = entry.condition("ifNoneExist")
    search = entry.search or () if condition is None else query_of(condition)
    for name, value in search:
        if any(part in urls for part in value.split(",")):
            raise BadRequest(fault("not-supported", "condition-names-entry", name=name[:64]))
