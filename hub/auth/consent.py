"""GET and POST /auth/consent: what an app wants, in plain words, each to be ticked or not.

Spec: RFC 6749 (4.1.1), SMART App Launch 2.2, "scopes granted may differ from those requested".
"""

from __future__ import annotations

from urllib.parse import urlsplit

from hub.auth import patient_picker, rendering, scope_words, steps
from hub.auth.authorization import Shown
from hub.auth.exchange import Call, Reply, once
from hub.auth.parts import Parts

TICKED = "scope"


async def consent_page(parts: Parts, call: Call) -> Reply:
    """The page.

    Raises:
        Shown: Nothing waits for it.
        Returned: What waits is not good any more.
    """
    browser = await steps.logged_in(parts, call)
    id = call.asked.get("request", "")
    authorization, asked = await steps.waiting(parts, call, browser, id)
    asked, step = await steps.missing(parts, call, browser, authorization, asked)
    if step in ("password", "patient"):
        return steps.to(parts, step, id)
    launched, client = authorization.launched, authorization.client
    about = asked.patient or (launched.patient if launched else "")
    patient = (
        await patient_picker.patient_of(parts, call, browser, about)
        if about and steps.is_about_patient(authorization)
        else None
    )
    return rendering.page(
        parts,
        call,
        "consent",
        browser=browser,
        origin=authorization.origin,
        client=client,
        unknown=client.created_by == "registration",
        place=urlsplit(authorization.redirect_uri).hostname or authorization.origin,
        native=authorization.is_native,
        request=id,
        patient=patient,
        wishes=scope_words.wishes(authorization.scopes, call.language),
    )


async def consent(parts: Parts, call: Call) -> Reply:
    """Take the answer.

    Raises:
        Shown: The form is not ours, or nothing waits for it.
        Returned: The person refuses, or the request is not good any more.
    """
    browser = await steps.logged_in(parts, call)
    ticked = {one for name, value in call.fields if name == TICKED for one in value.split(" ")}
    data = once(tuple(pair for pair in call.fields if pair[0] != TICKED))
    steps.check_form(parts, call, browser, data)
    id = data.get("request", "")
    authorization, asked = await steps.waiting(parts, call, browser, id)
    asked, step = await steps.missing(parts, call, browser, authorization, asked)
    if step in ("password", "patient"):
        return steps.to(parts, step, id)
    if data.get("answer") not in ("allow", "refuse"):
        raise Shown("auth-unreadable")
    await steps.finish(parts, call, id)
    given = [scope for scope in authorization.scopes if scope in ticked]
    if data["answer"] == "refuse" or not given:
        parts.record(
            "authorize",
            ok=False,
            account=browser.account.name,
            client=authorization.client.id,
            patient=asked.patient,
            address=call.address,
            reason="access_denied",
        )
        error = authorization.refusal("access_denied", "The person refused.")
        error.noted = True
        raise error
    await parts.pending.agree(
        browser.account.name, authorization.client.id, authorization.scopes, given, call.now
    )
    return await steps.grant(parts, call, browser, authorization, asked, given)
