"""What a token that somebody holds stands for: access tokens and refresh tokens alike.

Called by introspection and revocation.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.access.accounts import Account
from hub.access.grants import Grant
from hub.access.tokens import Claims, TokenRefused
from hub.auth.parts import Parts


@dataclass(frozen=True, slots=True)
class Held:
    """A token that is good.

    Attributes:
        grant: Its grant.
        account: Who granted; None for Backend Services.
        claims: What an access token says; None for a refresh token.
    """

    grant: Grant
    account: Account | None
    claims: Claims | None


async def held(parts: Parts, token: str, now: int) -> Held | None:
    """What a token stands for; None when it is none of ours, or not good any more."""
    claims, id = None, ""
    if "." in token:
        try:
            claims = await parts.verifier.claims(token.encode("utf-8", "surrogatepass"), now)
        except TokenRefused:
            return None
        id = claims.gid
    else:
        refresh = await parts.desk.grants.refresh(token, now)
        if refresh is None or refresh.used:
            return None
        id = refresh.grant
    standing = await parts.desk.grants.standing(id, now)
    if standing is None:
        return None
    grant, account, _ = standing
    if claims is not None and claims.client_id != grant.client:
        return None
    return Held(grant, account, claims)
