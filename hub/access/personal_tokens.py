"""A token for a person's own script, made at the machine instead of by a login.

It does what the account may, an hour at most, and ends with the account. Whoever can write in
the data folder can make one, and could change all of it anyway. Called by `fhir-hub token`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from hub.access.accounts import AccountRefused
from hub.access.clients import Client, ClientRefused
from hub.access.grants import Grant

if TYPE_CHECKING:
    from hub.access.front_desk import FrontDesk

CLIENT = "command-line"
"""Client id of all such tokens: removing it ends them; it comes back with the next one."""

EVERYTHING = "user/*.cruds"
"""Whatever the account may."""


async def personal_token(
    desk: FrontDesk, name: str, base: str, now: int, *, scope: str, lifetime: int
) -> str:
    """An access token of an account.

    Args:
        desk: Accounts, clients, grants, keys.
        name: The account's.
        base: The FHIR base that the token is for.
        now: Milliseconds since the epoch.
        scope: Scopes, separated by spaces.
        lifetime: Seconds.

    Raises:
        AccountRefused: There is no such account, or it is disabled.
    """
    account = await desk.accounts.get(name, now)
    if account is None or account.disabled:
        raise AccountRefused("access-account-missing", name=name[:64])
    client = await desk.clients.get(CLIENT, now)
    if client is None:
        client = Client(id=CLIENT, name="fhir-hub token", grant_types=(), created_by="token")
        with suppress(ClientRefused):  # Another such command was quicker.
            await desk.clients.add(client, now)
    made = Grant(client=CLIENT, account=account.name, scope=scope, login=now)
    grant = await desk.grants.start(made, now)
    return await desk.issuer(base.removesuffix("/fhir"), base).access_token(grant, lifetime, now)
