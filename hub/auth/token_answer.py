"""The answer of the token endpoint: the tokens and what SMART adds to them.

Called by `hub.auth.token`.
Spec: RFC 6749 (5.1), OpenID Connect Core (2, 3.1.3.3); SMART App Launch 2.2, "Launch context
arrives with your access_token".
"""

from __future__ import annotations

from typing import Any

from hub.access.accounts import Account
from hub.access.grants import Grant
from hub.auth.parts import Parts

SERVICE = 300
"""Most seconds a token of Backend Services lives (SMART: no more than five minutes)."""

PERSONAL = frozenset(("patient", "relative"))


async def answer(
    parts: Parts,
    grant: Grant,
    account: Account | None,
    now: int,
    *,
    scope: str = "",
    refresh: str = "",
) -> dict[str, Any]:
    """What a client gets.

    Args:
        parts: Ours.
        grant: What was granted.
        account: By whom; None for Backend Services.
        now: Milliseconds since the epoch.
        scope: Narrower scopes than the grant's, "" for all.
        refresh: The refresh token, "" without.
    """
    scope = scope or grant.scope
    words = scope.split(" ")
    seconds = lifetime(parts, account)
    found: dict[str, Any] = {
        "access_token": await parts.issuer.access_token(grant, seconds, now, scope),
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": scope,
    }
    if refresh:
        found["refresh_token"] = refresh
    if account is not None:
        found |= context(parts, grant)
        if "openid" in words:
            claims = identity(parts, grant, account, words)
            found["id_token"] = await parts.issuer.id_token(claims, seconds, now)
    return found


def lifetime(parts: Parts, account: Account | None) -> int:
    """Seconds an access token lives."""
    settings = parts.settings
    if account is None:
        return min(SERVICE, settings.token_lifetime)
    if PERSONAL.issuperset(account.roles):
        return min(settings.personal_token_lifetime, settings.token_lifetime)
    return settings.token_lifetime


def context(parts: Parts, grant: Grant) -> dict[str, Any]:
    """The launch context."""
    found: dict[str, Any] = {"smart_style_url": parts.url("/auth/smart-style.json")}
    if grant.patient:
        found |= {"patient": grant.patient, "need_patient_banner": True}
    if grant.encounter:
        found["encounter"] = grant.encounter
    return found | grant.launch


def identity(parts: Parts, grant: Grant, account: Account, words: list[str]) -> dict[str, Any]:
    """The claims of an id_token beside those of every token."""
    claims: dict[str, Any] = {"sub": account.name, "aud": grant.client} | person(
        parts, account, words
    )
    if grant.login:
        claims["auth_time"] = grant.login // 1000
    if grant.nonce:
        claims["nonce"] = grant.nonce
    return claims


def person(parts: Parts, account: Account, words: list[str]) -> dict[str, Any]:
    """What an id_token and userinfo say of a person."""
    found: dict[str, Any] = {}
    if account.fhir_user and ("fhirUser" in words or "profile" in words):
        address = f"{parts.settings.base}/{account.fhir_user}"
        found["fhirUser"] = address
        if "profile" in words:
            found["profile"] = address
    if "profile" in words:
        found["preferred_username"] = account.name
        if account.display:
            found["name"] = account.display
    return found
