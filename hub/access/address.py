"""The address a hub was last served at, which its tokens name: for commands that make tokens.

Noted by the composition root when it starts, read by `fhir-hub token`.
"""

from __future__ import annotations

import msgspec

from hub.access.records import Records
from hub.storage.ledger import Ledger

_KEY = "address"


class _Address(msgspec.Struct, frozen=True):
    base: str


def _records(ledger: Ledger, tenant: int) -> Records[_Address]:
    return Records(ledger, tenant, "hub", _Address)


async def note(ledger: Ledger, tenant: int, base: str, now: int) -> None:
    """Keep the FHIR base of a hub that starts.

    Args:
        ledger: Where it is kept.
        tenant: Tenant key.
        base: `http://127.0.0.1:8080/fhir`.
        now: Milliseconds since the epoch.
    """
    records = _records(ledger, tenant)
    found = await records.get(_KEY, now)
    if found is None or found.value.base != base:
        await records.put(_KEY, _Address(base), now)


async def noted(ledger: Ledger, tenant: int, now: int) -> str:
    """The FHIR base it was last served at; "" when it never was."""
    found = await _records(ledger, tenant).get(_KEY, now)
    return found.value.base if found else ""
