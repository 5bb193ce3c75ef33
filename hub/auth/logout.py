"""GET and POST /auth/logout: the session ends, and what was granted for its time only.

Asked by a page first, so that no other page can log anybody out.
Spec: OpenID Connect RP-Initiated Logout (2); SMART App Launch 2.2, online_access.
"""

from __future__ import annotations

from hub.auth import rendering, steps
from hub.auth.exchange import Call, Reply
from hub.auth.parts import Parts


async def logout_page(parts: Parts, call: Call) -> Reply:
    """The question; or that nobody is logged in."""
    browser = await parts.sessions.of(call)
    return rendering.page(parts, call, "logout", browser=browser)


async def logout(parts: Parts, call: Call) -> Reply:
    """Log out.

    Raises:
        Shown: The form is not ours.
    """
    browser = await parts.sessions.of(call)
    if browser is not None:
        steps.check_form(parts, call, browser, call.form)
        ended = await parts.sessions.end(call)
        if ended is not None:
            await steps.end_grants(parts, call, ended)
        parts.record("logout", ok=True, account=browser.account.name, address=call.address)
    done = rendering.page(parts, call, "logout", here="/auth/logout")
    return done.plus(parts.sessions.no_cookie())
