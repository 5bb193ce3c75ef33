"""Logical ids (https://hl7.org/fhir/R4/datatypes.html#id). Called by REST and interactions."""

from __future__ import annotations

import os
import re
from collections import deque

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_VERSION = re.compile(r"[1-9][0-9]{0,17}").fullmatch
_AT_ONCE = 256

# Random bytes of ids to come. Each call of the system gives up the interpreter's lock, and the
# writer thread may keep it for milliseconds: asked once for many ids, that is no longer felt.
_fresh: deque[bytes] = deque()
os.register_at_fork(after_in_child=_fresh.clear)


def valid_id(text: str) -> bool:
    """Whether a text can be a logical id or a version id."""
    return _ID(text) is not None


def version_number(text: str) -> int:
    """The number of a version by its id, 0 for what can be the id of none: they are 1, 2, 3 ..."""
    return int(text) if _VERSION(text) else 0


def new_id() -> str:
    """A fresh logical id: a random UUID (RFC 9562, version 4)."""
    try:
        raw = _fresh.pop()
    except IndexError:
        pool = os.urandom(16 * _AT_ONCE)
        _fresh.extend(pool[start : start + 16] for start in range(0, len(pool), 16))
        raw = _fresh.pop()
    digits = raw.hex()
    variant = "89ab"[raw[8] & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
