"""What is still missing before an app gets its code, and the code once nothing is.

After a login: a password that must be changed, a patient to choose, an agreement. Each is a page
of its own; after each the same question is asked again here. Called by the pages.
Spec: RFC 6749 (4.1.2), OpenID Connect Core (3.1.2.6); SMART App Launch 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode

from hub.access.accounts import Account, key_of
from hub.access.grants import Grant
from hub.auth import scope_choice
from hub.auth.authorization import Authorization, Returned, Shown, understood
from hub.auth.exchange import Call, Reply, redirect
from hub.auth.parts import Parts
from hub.auth.pending import Asked
from hub.auth.sessions import Browser, Session

Step = Literal["password", "patient", "consent"]

REQUIRED: dict[Step, str] = {
    "password": "interaction_required",
    "patient": "interaction_required",
    "consent": "consent_required",
}
"""What the client is told of a missing step when nobody may be asked (prompt=none)."""


async def start(parts: Parts, call: Call, account: Account, *, change: bool = False) -> Browser:
    """Log somebody in; whoever was logged in in this browser is not any more.

    Args:
        parts: Ours.
        call: The request.
        account: Who.
        change: The password must be changed first.
    """
    before = await parts.sessions.end(call)
    kept: tuple[str, ...] = ()
    if before is not None and key_of(before.account) == key_of(account.name):
        kept = before.grants
    elif before is not None:
        await end_grants(parts, call, before)
    return await parts.sessions.start(account, call, change=change, grants=kept)


async def end_grants(parts: Parts, call: Call, session: Session) -> None:
    """End what was granted for a session's time."""
    for grant in session.grants:
        await parts.desk.grants.revoke(grant, call.now)


async def begin(parts: Parts, call: Call, browser: Browser, authorization: Authorization) -> Reply:
    """Go on after a login.

    Raises:
        Returned: The request cannot be granted, or not without asking.
        Shown: The record cannot be read.
    """
    asked = Asked(browser=browser.key, query=authorization.query)
    asked, step = await missing(parts, call, browser, authorization, asked)
    if step is None:
        given = await agreed(parts, call, browser, authorization)
        return await grant(parts, call, browser, authorization, asked, given or ())
    if "none" in authorization.prompt:
        text = "A person must be asked."
        raise authorization.refusal(REQUIRED[step], text)
    id = await parts.pending.keep(asked, call.now)
    return to(parts, step, id)


async def enter(parts: Parts, call: Call, browser: Browser, authorization: Authorization) -> Reply:
    """Go on after a login, which the browser keeps whatever comes of it."""
    cookie = parts.sessions.cookie(browser)
    try:
        return (await begin(parts, call, browser, authorization)).plus(cookie)
    except Returned as error:
        error.reply = error.reply.plus(cookie)
        raise


async def resume(parts: Parts, call: Call, browser: Browser, id: str) -> Reply:
    """Go on after a page."""
    authorization, asked = await waiting(parts, call, browser, id)
    chosen, step = await missing(parts, call, browser, authorization, asked)
    if step is not None:
        return to(parts, step, id)
    given = await agreed(parts, call, browser, authorization)
    await finish(parts, call, id)
    return await grant(parts, call, browser, authorization, chosen, given or ())


async def waiting(
    parts: Parts, call: Call, browser: Browser, id: str
) -> tuple[Authorization, Asked]:
    """A request that waits in this browser.

    Raises:
        Shown: There is none, or it is not good any more.
        Returned: The same, after its client is known.
    """
    asked = await parts.pending.get(id, browser.key, call.now)
    if asked is None:
        raise Shown("auth-request-over")
    return await understood(parts, asked.query, call.now), asked


async def logged_in(parts: Parts, call: Call) -> Browser:
    """Who uses a page that comes after the login.

    Raises:
        Shown: Nobody is logged in.
    """
    browser = await parts.sessions.of(call)
    if browser is None:
        raise Shown("auth-login-over", 401)
    return browser


def check_form(parts: Parts, call: Call, browser: Browser | None, data: dict[str, str]) -> None:
    """Refuse a form that did not come from our page in this browser.

    Raises:
        Shown: It did not.
    """
    if not parts.sessions.is_ours(call, browser, data.get("token", "")):
        name = browser.account.name if browser else ""
        parts.record("form", ok=False, account=name, address=call.address, reason=call.path)
        error = Shown("auth-form-foreign", 403)
        error.noted = True
        raise error


async def finish(parts: Parts, call: Call, id: str) -> None:
    """Answer a request once.

    Raises:
        Shown: It was answered.
    """
    if not await parts.pending.finish(id, call.now):
        raise Shown("auth-request-over")


def to(parts: Parts, step: str, id: str) -> Reply:
    """Send the browser to a step's page."""
    return redirect(f"{parts.prefix}/auth/{step}?{urlencode({'request': id})}")


async def missing(
    parts: Parts, call: Call, browser: Browser, authorization: Authorization, asked: Asked
) -> tuple[Asked, Step | None]:
    """The request, with a patient where there is no choice; and the next step, None: none."""
    if browser.session.change:
        return asked, "password"
    launched = authorization.launched
    if launched and launched.account and key_of(launched.account) != key_of(browser.account.name):
        raise authorization.refusal("access_denied", "The launch was made by another person.")
    if needs_patient(authorization) and not asked.patient:
        context = await parts.context(call, browser.account)
        patients = context.principal.patients
        if patients is None or len(patients) != 1:
            return asked, "patient"
        asked = Asked(browser=asked.browser, query=asked.query, patient=next(iter(patients)))
    if await agreed(parts, call, browser, authorization) is None:
        return asked, "consent"
    return asked, None


def needs_patient(authorization: Authorization) -> bool:
    """Whether a patient must be chosen: the scopes need one, and the EHR hands over none."""
    if authorization.launched is not None and authorization.launched.patient:
        return False
    return is_about_patient(authorization)


def is_about_patient(authorization: Authorization) -> bool:
    """Whether the scopes mean nothing without a patient."""
    return scope_choice.is_about_patient(authorization.scopes)


async def agreed(
    parts: Parts, call: Call, browser: Browser, authorization: Authorization
) -> Sequence[str] | None:
    """The scopes a person need not be asked about again; None: ask."""
    client, account = authorization.client, browser.account
    if client.first_party:
        return authorization.scopes
    if authorization.is_native or "consent" in authorization.prompt:
        return None
    since = max(client.since, account.since)
    return await parts.pending.agreed(
        account.name, client.id, authorization.scopes, since, call.now
    )


async def grant(
    parts: Parts,
    call: Call,
    browser: Browser,
    authorization: Authorization,
    asked: Asked,
    given: Sequence[str],
) -> Reply:
    """Give the app its code.

    Raises:
        Returned: Nothing was granted, or the launch was used.
    """
    client, launched = authorization.client, authorization.launched
    if not given:
        raise authorization.refusal("access_denied", "Nothing was granted.")
    if launched is not None and await parts.pending.spend(authorization.launch, call.now) is None:
        raise authorization.refusal("invalid_request", "The launch was used.")
    patient = asked.patient if launched is None else launched.patient or asked.patient
    made = Grant(
        client=client.id,
        account=browser.account.name,
        scope=" ".join(given),
        patient=patient if launched or scope_choice.is_about_patient(list(given)) else "",
        encounter=launched.encounter if launched else "",
        launch=launched.more if launched else {},
        login=browser.session.login,
        nonce=authorization.nonce,
    )
    grants = parts.desk.grants
    if client.created_by == "registration":
        await parts.desk.clients.keep(client.id, call.now)
    code = await grants.authorize(
        made, authorization.redirect_uri, authorization.challenge, call.now
    )
    if client.first_party or "online_access" in given:
        kept = await grants.code(code, call.now)
        if kept is not None:
            await parts.sessions.holds(browser, kept.grant, call.now)
    parts.record(
        "authorize",
        ok=True,
        account=browser.account.name,
        client=client.id,
        patient=made.patient,
        address=call.address,
    )
    return authorization.answer(code=code)
