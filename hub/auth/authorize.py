"""GET and POST /auth/authorize: an app asks to act for a person.

Spec: RFC 6749 (3.1, 4.1.1), OpenID Connect Core (3.1.2.1); SMART App Launch 2.2.
"""

from __future__ import annotations

from hub.auth import login, steps
from hub.auth.authorization import Authorization, understood
from hub.auth.exchange import LONGEST_QUERY, Call, Refused, Reply, redirect
from hub.auth.parts import Parts
from hub.auth.sessions import Browser


async def authorize(parts: Parts, call: Call) -> Reply:
    """The first page that the person needs, or the app's answer.

    Raises:
        Shown: It comes from nobody we know.
        Returned: It is not good.
    """
    authorization = await understood(parts, call.query, call.now)
    browser = await parts.sessions.of(call)
    if browser is not None and _is_fresh(authorization, browser, call.now):
        return await steps.begin(parts, call, browser, authorization)
    if "none" in authorization.prompt:
        raise authorization.refusal("login_required", "Nobody is logged in.")
    return login.form(parts, call, authorization)


async def authorize_by_post(parts: Parts, call: Call) -> Reply:
    """A form of the app's page: the browser sends no cookie with it, so it comes again by GET."""
    _ = call.form  # is one, with no parameter twice
    query = call.body.decode("ascii", "replace")
    if len(query) > LONGEST_QUERY or not query.isascii() or call.query:
        raise Refused(400, "query")
    if not query.isprintable():  # a line break would end the header that it goes into
        raise Refused(400, "query")
    return redirect(f"{parts.prefix}/auth/authorize?{query}")


def _is_fresh(authorization: Authorization, browser: Browser, now: int) -> bool:
    """Whether the login that there is will do."""
    if authorization.prompt & {"login", "select_account"}:
        return False
    age = authorization.max_age
    return age is None or now - browser.session.login <= age * 1000
