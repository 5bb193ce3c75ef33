"""POST /auth/introspect: what a token means, for who may know.

A client may ask about its own tokens. About others' only a confidential client that an
administrator made: it speaks for a resource server, and nobody could register as one.
Spec: RFC 7662; SMART App Launch 2.2, token introspection.
"""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError

from hub.access.clients import Client
from hub.auth import token_answer
from hub.auth.client_authentication import caller
from hub.auth.exchange import Call, Reply, json_reply
from hub.auth.parts import Parts
from hub.auth.standing_tokens import Held, held

INACTIVE = {"active": False}


async def introspect(parts: Parts, call: Call) -> Reply:
    """Answer.

    Raises:
        OAuth2Error: The caller is nobody, or asks nothing.
    """
    if call.query:
        raise InvalidRequestError("Parameters belong into the body, not into the address.")
    form = call.form
    client = (await caller(parts, call, form)).client
    if "token" not in form:
        raise InvalidRequestError("token is missing.")
    found = await held(parts, form["token"], call.now)
    known = found is not None and may_ask(client, found)
    parts.record(
        "introspect",
        ok=known,
        account=found.grant.account if found else "",
        client=client.id,
        address=call.address,
        reason="" if known else "inactive",
    )
    return json_reply(_meaning(parts, found) if found and known else INACTIVE)


def may_ask(client: Client, found: Held) -> bool:
    """Whether a client may know what a token means."""
    if found.grant.client == client.id:
        return True
    return client.type != "public" and client.created_by != "registration"


def _meaning(parts: Parts, found: Held) -> dict[str, Any]:
    grant, account, claims = found.grant, found.account, found.claims
    scope = claims.scope if claims else grant.scope
    meaning: dict[str, Any] = {
        "active": True,
        "scope": scope,
        "client_id": grant.client,
        "sub": grant.account or grant.client,
        "iss": parts.settings.site,
        "aud": parts.settings.base,
    }
    if claims is not None:
        times = {"exp": claims.exp, "iat": claims.iat, "jti": claims.jti}
        meaning |= {"token_type": "Bearer", **times}
    if account is not None:
        meaning["username"] = account.name
        meaning |= token_answer.person(parts, account, scope.split(" "))
        meaning |= token_answer.context(parts, grant)
    return meaning
