"""GET and POST /auth/userinfo: who the person behind an access token is.

Spec: OpenID Connect Core (5.3), RFC 6750.
"""

from __future__ import annotations

from hub.access.tokens import TokenRefused
from hub.auth import token_answer
from hub.auth.exchange import Call, Reply, json_reply
from hub.auth.parts import Parts


async def userinfo(parts: Parts, call: Call) -> Reply:
    """The claims."""
    if not call.bearer:
        return _refused("")
    try:
        claims = await parts.verifier.claims(call.bearer, call.now)
        await parts.verifier.verify(call.bearer, call.now)
    except TokenRefused:
        return _refused("invalid_token")
    standing = await parts.desk.grants.standing(claims.gid, call.now)
    words = claims.scope.split(" ")
    if standing is None or standing[1] is None:
        return _refused("invalid_token")
    if "openid" not in words:
        return _refused("insufficient_scope", 403)
    account = standing[1]
    return json_reply({"sub": account.name} | token_answer.person(parts, account, words))


def _refused(error: str, status: int = 401) -> Reply:
    challenge = 'Bearer realm="fhir"' + (f', error="{error}"' if error else "")
    content = {"error": error or "invalid_request"}
    return json_reply(content, status, ("www-authenticate", challenge))
