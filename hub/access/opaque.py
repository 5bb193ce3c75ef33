"""Secrets that mean nothing: codes, refresh tokens, sessions, client secrets.

They have 256 random bits, so a plain hash keeps them: nobody can guess what was hashed. Only
the hash is stored. Called by `grants`, `clients` and `hub.auth`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

BYTES = 32
LONGEST = 256
"""Longer ones are not ours; they are not even hashed."""


def new_secret() -> str:
    """A new secret, URL-safe, 43 characters."""
    return secrets.token_urlsafe(BYTES)


def hashed(secret: str) -> str:
    """What is stored of a secret: SHA-256 in hex; "" when it cannot be one of ours."""
    if not secret.isascii() or not 0 < len(secret) <= LONGEST:
        return ""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret: str, hash: str) -> bool:
    """Whether a secret is the one that was hashed; takes as long when it is not."""
    return bool(hash) and hmac.compare_digest(hashed(secret), hash)
