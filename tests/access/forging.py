"""Tokens taken apart and put together again, with anything in them that an attacker likes."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey


def part(content: object) -> bytes:
    """A part of a token: bytes as they are, else JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def read_part(text: bytes) -> bytes:
    """What a part holds."""
    return base64.urlsafe_b64decode(text + b"==")


def split(token: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Header, claims and signature of a token."""
    header, payload, signature = token.split(b".")
    return json.loads(read_part(header)), json.loads(read_part(payload)), signature


def signed_by(key: RSAKey, header: object, payload: object) -> bytes:
    """A token with a true signature under any header (joserfc would refuse to)."""
    data = part(header) + b"." + part(payload)
    return data + b"." + part(key.private_key.sign(data, PKCS1v15(), SHA256()))
