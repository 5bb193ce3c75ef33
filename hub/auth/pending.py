"""Authorization requests that wait for a person: what was asked, chosen so far, and by whom.

Made once somebody is logged in, bound to the session, gone when answered. Beside them launch
tokens (EHR launch) and what people agreed to before. Called by the pages and `hub.auth.launch`.
Spec: SMART App Launch 2.2, launch context.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.access import opaque
from hub.access.accounts import key_of
from hub.access.records import Records
from hub.storage.ledger import Ledger

MINUTE = 60_000
PATIENCE = 20 * MINUTE
"""How long a person may take."""

LAUNCH = 5 * MINUTE
"""How long a launch token is good: the EHR opens the app at once."""

AGREED = 180 * 24 * 60 * MINUTE
"""How long an agreement is remembered."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that waits.

    Attributes:
        browser: Key of the session it belongs to.
        query: The authorization request as it was sent.
        patient: Logical id of the patient that was chosen.
    """

    browser: str
    query: str
    patient: str = ""


class Launch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an EHR hands to an app.

    Attributes:
        client: The app it is for.
        account: Who must log in; "" for anyone.
        patient: Logical id, "" without.
        encounter: Logical id, "" without.
        more: `intent`, `fhirContext`, `need_patient_banner`: as the token's answer carries them.
    """

    client: str
    account: str = ""
    patient: str = ""
    encounter: str = ""
    more: dict[str, Any] = msgspec.field(default_factory=dict)


class Agreement(msgspec.Struct, frozen=True):
    """What an app asked a person for, what was given, and when (ms)."""

    asked: tuple[str, ...]
    given: tuple[str, ...]
    time: int


class Pending:
    """What waits, in a tenant."""

    def __init__(self, ledger: Ledger, tenant: int) -> None:
        """Prepare.

        Args:
            ledger: Where it is kept.
            tenant: Tenant key.
        """
        self._asked = Records(ledger, tenant, "asked", Asked)
        self._launches = Records(ledger, tenant, "launch", Launch)
        self._agreements = Records(ledger, tenant, "agreement", Agreement)

    # --- requests ----------------------------------------------------------------------------

    async def keep(self, asked: Asked, now: int) -> str:
        """Keep a request; gives its id."""
        id = opaque.new_secret()
        await self._asked.add(opaque.hashed(id), asked, now, now + PATIENCE)
        return id

    async def get(self, id: str, browser: str, now: int) -> Asked | None:
        """A request of this session."""
        key = opaque.hashed(id)
        found = await self._asked.get(key, now) if key else None
        return found.value if found and found.value.browser == browser else None

    async def choose(self, id: str, patient: str, now: int) -> Asked | None:
        """Note which patient was chosen."""
        return await self._asked.change(
            opaque.hashed(id), now, lambda asked: replace(asked, patient=patient)
        )

    async def finish(self, id: str, now: int) -> bool:
        """It is answered; False when it was before."""
        return await self._asked.take(opaque.hashed(id), now) is not None

    # --- launches ----------------------------------------------------------------------------

    async def launch(self, launch: Launch, now: int) -> str:
        """A launch token."""
        token = opaque.new_secret()
        await self._launches.add(opaque.hashed(token), launch, now, now + LAUNCH)
        return token

    async def launched(self, token: str, now: int) -> Launch | None:
        """What a launch token stands for."""
        key = opaque.hashed(token)
        found = await self._launches.get(key, now) if key else None
        return found.value if found else None

    async def spend(self, token: str, now: int) -> Launch | None:
        """The same, for the one time that it may be used."""
        return await self._launches.take(opaque.hashed(token), now)

    # --- agreements --------------------------------------------------------------------------

    async def agree(
        self, account: str, client: str, asked: Collection[str], given: Collection[str], now: int
    ) -> None:
        """Remember what a person let an app do."""
        content = Agreement(tuple(sorted(asked)), tuple(given), now)
        await self._agreements.put(_of(account, client), content, now, expires=now + AGREED)

    async def agreed(
        self, account: str, client: str, asked: Collection[str], since: int, now: int
    ) -> tuple[str, ...] | None:
        """What was given when just this was asked before; None: the person must be asked.

        Args:
            account: Account name.
            client: Client id.
            asked: The scopes.
            since: Agreements made before this are void, milliseconds since the epoch.
            now: Milliseconds since the epoch.
        """
        found = await self._agreements.get(_of(account, client), now)
        if found is None or found.value.time < since:
            return None
        return found.value.given if found.value.asked == tuple(sorted(asked)) else None

    async def forget(self, account: str, client: str, now: int) -> None:
        """Ask again the next time."""
        await self._agreements.take(_of(account, client), now)


def _of(account: str, client: str) -> str:
    return f"{key_of(account)} {client}"
