"""GET /auth/jwks: the public keys that verify our tokens (RFC 7517)."""

from __future__ import annotations

from hub.auth.exchange import Call, Reply, json_reply
from hub.auth.parts import Parts

KEPT = 300
"""Seconds others may keep it: a rotation shows new tokens' keys to who meets an unknown `kid`."""


async def jwks(parts: Parts, call: Call) -> Reply:
    """The key set."""
    return json_reply(await parts.desk.keys.jwks(call.now), kept=KEPT)
