"""GET and POST /auth/apps: the apps a person let in, and an end to any of them.

Spec: SMART App Launch 2.2, "authorization servers should let users manage what they granted".
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from hub.access.grants import Grant, is_account
from hub.auth import rendering, scope_words, steps
from hub.auth.authorization import Shown
from hub.auth.exchange import Call, Reply, redirect
from hub.auth.parts import Parts
from hub.auth.sessions import Browser

MOST = 50


@dataclass(frozen=True, slots=True)
class Allowed:
    """A grant as it is shown: id, the app's name, what it may do, when it was used last."""

    id: str
    name: str
    wishes: list[scope_words.Wish]
    used: str


async def apps_page(parts: Parts, call: Call) -> Reply:
    """The page.

    Raises:
        Shown: Nobody is logged in.
    """
    browser = await steps.logged_in(parts, call)
    found = []
    for grant in await _granted(parts, call, browser):
        client = await parts.desk.clients.get(grant.client, call.now)
        if client is not None and not client.first_party:
            day = time.strftime("%Y-%m-%d", time.gmtime(grant.used / 1000))
            wishes = scope_words.wishes(tuple(grant.scope.split(" ")), call.language)
            found.append(Allowed(grant.id, client.name, wishes, day))
    return rendering.page(parts, call, "apps", browser=browser, apps=found)


async def end_app(parts: Parts, call: Call) -> Reply:
    """End one.

    Raises:
        Shown: The form is not ours, or the grant not theirs.
    """
    browser = await steps.logged_in(parts, call)
    data = call.form
    steps.check_form(parts, call, browser, data)
    grant = await parts.desk.grants.get(data.get("grant", ""), call.now)
    name = browser.account.name
    if grant is None or not is_account(grant, name):
        raise Shown("auth-app-over", 404)
    await parts.desk.grants.revoke(grant.id, call.now)
    await parts.pending.forget(name, grant.client, call.now)
    parts.record("revoke", ok=True, account=name, client=grant.client, address=call.address)
    return redirect(f"{parts.prefix}/auth/apps")


async def _granted(parts: Parts, call: Call, browser: Browser) -> list[Grant]:
    """What this person granted and still holds, the one used last first."""
    name, grants = browser.account.name, parts.desk.grants
    mine = [grant async for grant in grants.all(call.now) if is_account(grant, name)]
    mine.sort(key=lambda grant: grant.used, reverse=True)
    return [one for one in mine[:MOST] if await grants.standing(one.id, call.now) is not None]
