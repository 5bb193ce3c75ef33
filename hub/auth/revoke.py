"""POST /auth/revoke: a client gives back what it was granted.

Either token ends the whole grant: an access token that goes on beside a revoked refresh token
helps nobody. A token that is another client's, or none, is left as it is and nobody told.
Spec: RFC 7009.
"""

from __future__ import annotations

from authlib.oauth2.rfc6749 import InvalidRequestError

from hub.auth.client_authentication import caller
from hub.auth.exchange import Call, Reply, json_reply
from hub.auth.parts import Parts
from hub.auth.standing_tokens import held


async def revoke(parts: Parts, call: Call) -> Reply:
    """Revoke.

    Raises:
        OAuth2Error: The caller is nobody, or names no token.
    """
    if call.query:
        raise InvalidRequestError("Parameters belong into the body, not into the address.")
    form = call.form
    client = (await caller(parts, call, form)).client
    if "token" not in form:
        raise InvalidRequestError("token is missing.")
    found = await held(parts, form["token"], call.now)
    if found is not None and found.grant.client == client.id:
        await parts.desk.grants.revoke(found.grant.id, call.now)
        parts.record(
            "revoke",
            ok=True,
            account=found.grant.account,
            client=client.id,
            patient=found.grant.patient,
            address=call.address,
        )
    return json_reply({})
