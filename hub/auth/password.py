"""GET and POST /auth/password: a person changes the password, by choice or because it must be.

Whoever must has just given the old one; whoever chooses to gives it here, counted as a login is.
Every other session and token of the account ends.
Spec: NIST SP 800-63B (5.1.1); OWASP Authentication Cheat Sheet.
"""

from __future__ import annotations

from hub.access.passwords import PasswordRefused
from hub.auth import rendering, steps
from hub.auth.authorization import understood
from hub.auth.exchange import Call, Reply, redirect
from hub.auth.login import LONGEST
from hub.auth.parts import Parts
from hub.auth.sessions import Browser


async def password_page(parts: Parts, call: Call) -> Reply:
    """The form.

    Raises:
        Shown: Nobody is logged in.
    """
    browser = await steps.logged_in(parts, call)
    return _form(parts, call, browser, call.asked.get("request", ""))


def _form(parts: Parts, call: Call, browser: Browser, id: str, wrong: str = "") -> Reply:
    return rendering.page(
        parts,
        call,
        "password",
        status=422 if wrong else 200,
        browser=browser,
        here=f"/auth/password?request={id}" if id else "/auth/password",
        request=id,
        must=browser.session.change,
        wrong=wrong,
    )


async def password(parts: Parts, call: Call) -> Reply:
    """Change it, and go on.

    Raises:
        Shown: The form is not ours.
        Returned: The request that waits is not good any more.
        Unavailable: Too many log in at a time.
    """
    browser = await steps.logged_in(parts, call)
    data = call.form
    steps.check_form(parts, call, browser, data)
    id, new = data.get("request", ""), data.get("new", "")
    name = browser.account.name
    wrong = await _wrong(parts, call, browser, data)
    if not wrong:
        try:
            account = await parts.desk.accounts.set_password(name, new, call.now)
        except PasswordRefused as error:
            wrong = error.message
    parts.record("password", ok=not wrong, account=name, address=call.address, reason=wrong)
    if wrong:
        return _form(parts, call, browser, id, wrong)
    asked = await parts.pending.get(id, browser.key, call.now) if id else None
    fresh = await steps.start(parts, call, account)
    if asked is None:
        return redirect(f"{parts.prefix}/").plus(parts.sessions.cookie(fresh))
    await parts.pending.finish(id, call.now)
    return await steps.enter(parts, call, fresh, await understood(parts, asked.query, call.now))


async def _wrong(parts: Parts, call: Call, browser: Browser, data: dict[str, str]) -> str:
    """Message id of what is wrong, "" for nothing."""
    if data.get("new", "") != data.get("again", ""):
        return "auth-password-differs"
    old, name = data.get("old", "")[:LONGEST], browser.account.name
    if not browser.session.change:
        if await parts.desk.lockout.attempt(name, call.address, call.now):
            return "auth-password-old"
        if await parts.desk.accounts.verify(name, old, call.now) is None:
            return "auth-password-old"
        await parts.desk.lockout.succeeded(name, call.address, call.now)
    elif await parts.desk.accounts.verify(name, data.get("new", ""), call.now) is not None:
        return "auth-password-same"
    return ""
