"""Grants: what a person (or a service) allowed a client, with its codes and refresh tokens.

One record per authorization; a token is good only as long as its grant's record is there, so
removing that record ends all tokens at once. Codes and refresh tokens are kept hashed, and
after use they stay for a while marked as used: whoever comes with one again has stolen it, or
was stolen from, and the grant ends (RFC 9700, 4.2.4 and 4.14.2). A use marks the record by
compare-and-set: of two uses at the same time one succeeds, and the other ends the grant. The
grant exists before its code is used, so that it can end before the winner has its tokens.
Called by `hub.auth` and `tokens`.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.access import opaque
from hub.access.accounts import Account, Accounts, key_of
from hub.access.clients import Client, Clients
from hub.access.generation import Generation
from hub.access.records import Records
from hub.storage.ledger import Ledger

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000

CODE = 60 * SECOND
"""A code must be used within so long."""

ACCESS = HOUR
"""Longest life of an access token; a grant without refresh token lives a little longer."""

LEEWAY = MINUTE
ONLINE = 12 * HOUR
OFFLINE = 30 * DAY
"""How long a refresh token of `online_access` and of `offline_access` may lie unused."""

MOST = 180 * DAY
"""After so long a person is asked again, however often it was refreshed."""


class Grant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An authorization.

    Attributes:
        id: Its id, `gid` in access tokens; no secret.
        client: Client id.
        account: Name of the account; "" for Backend Services.
        scope: Scopes granted, separated by spaces.
        patient: Logical id of the launch context's patient, "" without.
        encounter: Logical id of the launch context's encounter, "" without.
        launch: Further launch context, as the token's answer carries it (`need_patient_banner`,
            `intent`, `fhirContext` ...).
        login: When the person logged in (`auth_time`), milliseconds since the epoch.
        nonce: The `nonce` of OpenID Connect, "" without.
        created: Milliseconds since the epoch.
        used: When a token was last made, milliseconds since the epoch.
    """

    id: str = ""
    client: str
    account: str = ""
    scope: str = ""
    patient: str = ""
    encounter: str = ""
    launch: dict[str, Any] = msgspec.field(default_factory=dict)
    login: int = 0
    nonce: str = ""
    created: int = 0
    used: int = 0

    @property
    def lasting(self) -> int:
        """How long a refresh token may lie unused, milliseconds; 0: there is none."""
        scopes = self.scope.split(" ")
        if "offline_access" in scopes:
            return OFFLINE
        return ONLINE if "online_access" in scopes else 0


class Code(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An authorization code.

    Attributes:
        grant: Id of the grant it is for.
        client: The client it was given to.
        redirect_uri: Where it was sent; the token request must name the same.
        challenge: PKCE's `code_challenge` (S256).
        used: It was used.
    """

    grant: str
    client: str
    redirect_uri: str
    challenge: str
    used: bool = False


class Refresh(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refresh token: the grant it is for, the client it was given to, whether it was used."""

    grant: str
    client: str
    used: bool = False


class Grants:
    """The grants of a tenant."""

    def __init__(
        self,
        ledger: Ledger,
        tenant: int,
        accounts: Accounts,
        clients: Clients,
        generation: Generation,
    ) -> None:
        """Put the parts together.

        Args:
            ledger: Where they are kept.
            tenant: Tenant key.
            accounts: Who grants.
            clients: Whom.
            generation: Moved when a grant ends.
        """
        self._grants = Records(ledger, tenant, "grant", Grant)
        self._codes = Records(ledger, tenant, "code", Code)
        self._refreshes = Records(ledger, tenant, "refresh", Refresh)
        self._accounts, self._clients, self._generation = accounts, clients, generation

    # --- grants ------------------------------------------------------------------------------

    async def start(self, grant: Grant, now: int) -> Grant:
        """A grant whose token is made at once: Backend Services, the hub's own pages.

        Returns:
            It, with its id and times.
        """
        grant = replace(grant, id=_new_id(), created=now, used=now)
        await self._grants.add(grant.id, grant, now, now + ACCESS + LEEWAY)
        return grant

    async def get(self, id: str, now: int) -> Grant | None:
        """A grant, whatever has become of its account and client."""
        found = await self._grants.get(id, now)
        return found.value if found else None

    async def standing(self, id: str, now: int) -> tuple[Grant, Account | None, Client] | None:
        """A grant that still holds, with its account (None for a service) and client.

        It does not when its account or client is gone, disabled, or was changed since.
        """
        found = await self._grants.get(id, now)
        return await self._holds(found.value, now) if found else None

    def all(self, now: int) -> AsyncIterator[Grant]:
        """All grants, for the page where people see and end them."""
        return self._grants.all(now)

    async def revoke(self, id: str, now: int) -> bool:
        """End a grant and all its tokens; whether there was one."""
        if await self._grants.take(id, now) is None:
            return False
        await self._generation.move(now)
        return True

    # --- codes -------------------------------------------------------------------------------

    async def authorize(self, grant: Grant, redirect_uri: str, challenge: str, now: int) -> str:
        """Keep what a person allowed, until the client comes with the code.

        Args:
            grant: Without id and times.
            redirect_uri: Where the code is sent.
            challenge: PKCE's challenge.
            now: Milliseconds since the epoch.

        Returns:
            The code.
        """
        grant = replace(grant, id=_new_id(), created=now, used=now)
        code = opaque.new_secret()
        await self._grants.add(grant.id, grant, now, now + CODE)
        content = Code(
            grant=grant.id, client=grant.client, redirect_uri=redirect_uri, challenge=challenge
        )
        await self._codes.add(opaque.hashed(code), content, now, now + CODE)
        return code

    async def code(self, code: str, now: int) -> Code | None:
        """What a code was given for; None when it is unknown, too old, or was used.

        A used one ends its grant.
        """
        found = await self._codes.get(opaque.hashed(code), now)
        if found is not None and found.value.used:
            await self.revoke(found.value.grant, now)
            return None
        return found.value if found else None

    async def redeem(self, code: str, now: int) -> Grant | None:
        """Use a code; the caller has compared client, redirect_uri and verifier.

        Returns:
            The grant; None when the code is unknown, too old or used (which ends the grant), or
            the grant does not hold any more.
        """
        key = opaque.hashed(code)
        found = await self._codes.get(key, now)
        if found is None:
            return None
        spent = replace(found.value, used=True)
        if found.value.used or not await self._codes.put(
            key, spent, now, found.revision, now + ACCESS
        ):
            await self.revoke(found.value.grant, now)
            return None
        return await self._use(found.value.grant, now, ACCESS + LEEWAY)

    # --- refresh tokens ----------------------------------------------------------------------

    async def new_refresh(self, grant: Grant, now: int) -> str:
        """The first refresh token of a grant that has one (`Grant.lasting`)."""
        end = _end(grant, now)
        token = opaque.new_secret()
        content = Refresh(grant=grant.id, client=grant.client)
        await self._refreshes.add(opaque.hashed(token), content, now, end)
        await self._use(grant.id, now, end - now + LEEWAY)
        return token

    async def refresh(self, token: str, now: int) -> Refresh | None:
        """What a refresh token is for, used or not; for introspection and revocation."""
        found = await self._refreshes.get(opaque.hashed(token), now)
        return found.value if found else None

    async def rotate(self, token: str, client: str, now: int) -> tuple[Grant, str] | None:
        """Use a refresh token.

        Args:
            token: The refresh token.
            client: Who comes with it; another client's token is unknown to it.
            now: Milliseconds since the epoch.

        Returns:
            The grant and the next refresh token; None when the token is unknown or used (which
            ends the grant), or the grant does not hold any more.
        """
        key = opaque.hashed(token)
        found = await self._refreshes.get(key, now)
        if found is None or found.value.client != client:
            return None
        if found.value.used:
            await self.revoke(found.value.grant, now)
            return None
        standing = await self.standing(found.value.grant, now)
        if standing is None:
            return None
        grant, end = standing[0], _end(standing[0], now)
        if end <= now:
            return None
        # The next one is there before this one is used up: a crash in between harms nobody.
        following = opaque.new_secret()
        content = Refresh(grant=grant.id, client=client)
        await self._refreshes.add(opaque.hashed(following), content, now, end)
        spent = replace(found.value, used=True)
        if not await self._refreshes.put(key, spent, now, found.revision, end):
            await self._refreshes.take(opaque.hashed(following), now)
            await self.revoke(grant.id, now)
            return None
        renewed = await self._use(grant.id, now, end - now + LEEWAY)
        return (renewed, following) if renewed else None

    # -----------------------------------------------------------------------------------------

    async def _use(self, id: str, now: int, lasting: int) -> Grant | None:
        """Note that tokens are made, if the grant still holds."""
        changed = await self._grants.change(
            id, now, lambda grant: replace(grant, used=now), now + lasting
        )
        if changed is None or await self._holds(changed, now) is None:
            return None
        return changed

    async def _holds(self, grant: Grant, now: int) -> tuple[Grant, Account | None, Client] | None:
        client = await self._clients.get(grant.client, now)
        if client is None or grant.created < client.since:
            return None
        if not grant.account:
            return grant, None, client
        account = await self._accounts.get(grant.account, now)
        if account is None or account.disabled or grant.created < account.since:
            return None
        return grant, account, client


def is_account(grant: Grant, name: str) -> bool:
    """Whether a grant was given by that account."""
    return bool(grant.account) and key_of(grant.account) == key_of(name)


def _new_id() -> str:
    """A grant's id: no secret, but not to be guessed either."""
    return secrets.token_urlsafe(16)


def _end(grant: Grant, now: int) -> int:
    return min(now + grant.lasting, grant.created + MOST)
