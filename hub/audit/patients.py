"""Which patients an answer or a query names, without decoding it.

Called by `recorder` and, for what is deleted, by `hub.interactions.audited`.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from hub.model.identity import valid_id

_PATIENT = b"Patient/"
_id = re.compile(rb"[A-Za-z0-9\-.]{1,64}").match
_BEFORE = b'"/'
_ASKING = frozenset(("patient", "subject", "patient:Patient", "subject:Patient"))


def patients_in(body: bytes) -> tuple[bytes, ...]:
    """Logical ids of the patients that an answer names, each once.

    They stand in references and in the fullUrl of Bundle entries, in JSON as in XML: what is
    looked for is `Patient/id` behind a quote or a slash. Nothing is decoded.

    Args:
        body: An answer's content.
    """
    at = body.find(_PATIENT)
    if at < 0:
        return ()
    found: dict[bytes, None] = {}
    while at >= 0:
        named = _id(body, at + 8)
        if named is not None and body[at - 1] in _BEFORE:
            found[named[0]] = None
        at = body.find(_PATIENT, at + 8)
    return tuple(found)


def asked_for(type: str, query: str) -> list[str]:
    """Logical ids of the patients that a query names, whether or not anything was found.

    Args:
        type: Resource type that is searched.
        query: As in a URL.
    """
    found = []
    for name, text in parse_qsl(query):
        if name in _ASKING or (name == "_id" and type == "Patient"):
            for value in text.split(","):
                id = value.rpartition("Patient/")[2]
                if valid_id(id):
                    found.append(id)
    return found
