"""Which scopes a client may have of those it asks for.

What is unknown, malformed, not registered for the client or makes no sense here is left out; the
token's answer says what was granted (RFC 6749, 3.3). Called by `authorization` and `token`.
"""

from __future__ import annotations

from hub.access import scopes
from hub.access.clients import Client
from hub.auth.pending import Launch

REFRESH = ("offline_access", "online_access")


def for_person(asked: str, client: Client, launched: Launch | None) -> tuple[str, ...]:
    """Scopes that a person may be asked to grant.

    Args:
        asked: The scope parameter.
        client: Who asks.
        launched: What the EHR hands over, None for a standalone launch.

    Returns:
        Scopes in order, each once; empty when none is left.
    """
    words = [word for word in _understood(asked) if not word.startswith("system/")]
    if launched is None:
        words = [word for word in words if word not in ("launch", "launch/encounter")]
    if "refresh_token" not in client.grant_types:
        words = [word for word in words if word not in REFRESH]
    return _registered(words, client)


def for_service(asked: str, client: Client) -> tuple[str, ...]:
    """Scopes that Backend Services may have."""
    return _registered([word for word in _understood(asked) if word.startswith("system/")], client)


def is_about_patient(granted: tuple[str, ...] | list[str]) -> bool:
    """Whether scopes mean nothing without a patient."""
    return any(word == "launch/patient" or word.startswith("patient/") for word in granted)


def _understood(asked: str) -> list[str]:
    if len(asked) > scopes.LONGEST:
        return []
    return [
        word for word in list(dict.fromkeys(asked.split(" ")))[: scopes.MOST] if _is_scope(word)
    ]


def _is_scope(word: str) -> bool:
    if word in scopes.OTHERS:
        return True
    try:
        scopes.parse(word)
    except scopes.ScopeRefused:
        return False
    return True


def _registered(words: list[str], client: Client) -> tuple[str, ...]:
    found = " ".join(words)
    if client.scope:
        try:
            found = scopes.intersect(found, client.scope)
        except scopes.ScopeRefused:
            return ()
    return tuple(found.split(" ")) if found else ()
