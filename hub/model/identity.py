"""Logical ids (https://hl7.org/fhir/R4/datatypes.html#id). Called by REST and interactions."""

from __future__ import annotations

import re
import uuid

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch


def valid_id(text: str) -> bool:
    """Whether a text can be a logical id or a version id."""
    return _ID(text) is not None


def new_id() -> str:
    """A fresh logical id: a random UUID."""
    return str(uuid.uuid4())
