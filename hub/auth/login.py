"""GET and POST /auth/login: name and password.

Whatever is wrong, the words are the same, and an unknown name takes as long as a wrong password.
Tries are counted before the password is looked at (`hub.access.lockout`).
Spec: OWASP Authentication Cheat Sheet; OpenID Connect Core (3.1.2.3).
"""

from __future__ import annotations

from hub.access.accounts import Account
from hub.auth import rendering, steps
from hub.auth.authorization import Authorization, understood
from hub.auth.exchange import Call, Reply, redirect
from hub.auth.parts import Parts

LONGEST = 1000
"""Characters of a name or password that are looked at."""


async def login_page(parts: Parts, call: Call) -> Reply:
    """The form, without an app; whoever is logged in is shown where to go."""
    browser = await parts.sessions.of(call)
    if browser is not None and browser.session.change:
        return redirect(f"{parts.prefix}/auth/password")
    if browser is not None:
        return redirect(f"{parts.prefix}/")
    return form(parts, call, None)


def form(
    parts: Parts,
    call: Call,
    authorization: Authorization | None,
    *,
    wrong: bool = False,
    name: str = "",
) -> Reply:
    """The form.

    Args:
        parts: Ours.
        call: The request.
        authorization: What is to go on after the login.
        wrong: It was tried in vain.
        name: What was typed.
    """
    query = authorization.query if authorization else ""
    return rendering.page(
        parts,
        call,
        "login",
        status=401 if wrong else 200,
        here=f"/auth/authorize?{query}" if query else "/auth/login",
        origin=authorization.origin if authorization else "",
        client=authorization.client if authorization else None,
        query=query,
        wrong=wrong,
        name=name,
    )


async def login(parts: Parts, call: Call) -> Reply:
    """Look at what was typed.

    Raises:
        Shown: The form is not ours.
        Returned: The request that waits for the login is not good.
        Unavailable: Too many log in at a time.
    """
    data = call.form
    query = data.get("query", "")
    steps.check_form(parts, call, None, data)
    authorization = await understood(parts, query, call.now) if query else None
    name, password = data.get("username", "").strip()[:LONGEST], data.get("password", "")[:LONGEST]
    account, reason = await _verified(parts, call, name, password)
    known = account or await parts.desk.accounts.get(name, call.now)
    parts.record(
        "login",
        ok=account is not None,
        account=known.name if known else "",
        client=authorization.client.id if authorization else "",
        address=call.address,
        reason=reason,
    )
    if account is None:
        return form(parts, call, authorization, wrong=True, name=name[:64])
    browser = await steps.start(parts, call, account, change=account.must_change)
    if authorization is not None:
        return await steps.enter(parts, call, browser, authorization)
    place = "/auth/password" if account.must_change else "/"
    return redirect(f"{parts.prefix}{place}").plus(parts.sessions.cookie(browser))


async def _verified(
    parts: Parts, call: Call, name: str, password: str
) -> tuple[Account | None, str]:
    """The account, or None and why not."""
    lockout = parts.desk.lockout
    if not name or not password:
        return None, "empty"
    if await lockout.attempt(name, call.address, call.now):
        return None, "locked"
    account = await parts.desk.accounts.verify(name, password, call.now)
    if account is None:
        return None, "password"
    await lockout.succeeded(name, call.address, call.now)
    return account, ""
