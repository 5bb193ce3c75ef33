"""Names of v2 to FHIR's URIs: assigning authorities (HD) and coding systems (table 0396).

The site's `[systems]` come first. What nobody has named gets a URI of its own sender,
`urn:id:FACILITY:NAME`, so that two hospitals that both write `MRN` never share patients. Called by
`adapters.hl7v2.mapping.datatype_maps`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from adapters.hl7v2.mapping.files import ours
from adapters.hl7v2.mapping.run import Run
from adapters.hl7v2.mapping.tables import V2_SYSTEM
from adapters.hl7v2.mapping.values import text_of

_V2_TABLE = re.compile(r"HL7(\d{4})")
_OID = re.compile(r"[0-2](?:\.\d+){2,}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_URI = re.compile(r"(?:https?://|urn:)[!-~]+")


def identifier_system(run: Run, raw: str, depth: int) -> str | None:
    """HD to the system of an identifier: by the site, its universal id, or its namespace."""
    delimiter = run.split[depth]
    parts = raw.split(delimiter) if delimiter else [raw]
    name = text_of(run, parts[0], 3)
    universal = text_of(run, parts[1], 3) if len(parts) > 1 else ""
    systems = run.site.systems
    known = systems.get(name) if name else None
    if known is None and universal:
        known = systems.get(universal)
    if known is not None:
        return known
    return _uri(universal) or _uri(name) or _own(run, name or universal)


def code_system(run: Run, raw: str, depth: int) -> str | None:
    """Name of a coding system to its URI."""
    name = text_of(run, raw, depth)
    if not name:
        return None
    known = run.site.systems.get(name) or _known().get(name.upper())
    if known is not None:
        return known or None
    match = _V2_TABLE.fullmatch(name)
    if match is not None:
        return V2_SYSTEM + match.group(1)
    return _uri(name) or _own(run, name)


def _own(run: Run, name: str) -> str | None:
    return f"{run.namespace}:{_quoted(name)}" if name else None


@lru_cache(maxsize=4096)
def _quoted(name: str) -> str:
    return quote(name, safe="")


@lru_cache(maxsize=4096)
def _uri(text: str) -> str:
    if _OID.fullmatch(text):
        return f"urn:oid:{text}"
    if _UUID.fullmatch(text):
        return f"urn:uuid:{text.lower()}"
    return text if _URI.fullmatch(text) else ""


@lru_cache(maxsize=1)
def _known() -> Mapping[str, str]:
    codes: Mapping[str, Any] = ours("tables")["code-systems"]["codes"]
    return MappingProxyType({name.upper(): str(uri) for name, uri in codes.items()})


SYSTEM_KINDS = {"system": identifier_system, "codesystem": code_system}
