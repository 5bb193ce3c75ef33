"""The console as a client of the hub's own OAuth: made by the hub, public, without a consent page.

Called when the hub starts.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from hub.access.clients import Client, ClientRefused, Clients

CLIENT = "console"


async def ensure_client(clients: Clients, site: str, now: int) -> None:
    """Make it, or make it anew when the hub's address has changed.

    Args:
        clients: The clients.
        site: The hub's address without `/fhir` and without a slash at the end.
        now: Milliseconds since the epoch.
    """
    wanted = (f"{site}/",)
    found = await clients.get(CLIENT, now)
    if found is not None and found.redirect_uris == wanted:
        return
    if found is not None:
        with suppress(ClientRefused):  # Another process was quicker.
            await clients.remove(CLIENT, now)
    made = Client(
        id=CLIENT,
        name="Console 控制台",
        redirect_uris=wanted,
        created_by="hub",
        first_party=True,
    )
    try:
        await clients.add(made, now)
    except ClientRefused as error:
        if error.message != "access-client-exists":
            logging.getLogger(__name__).warning(
                "nobody can log in to the console at %s: browsers reach it by https, or by http on "
                "this machine only; set HUB_PUBLIC_URL",
                site,
            )
