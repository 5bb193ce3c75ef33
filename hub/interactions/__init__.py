"""The interactions of FHIR's RESTful API, one file each, behind one door.

`Interactions` is the way into the record for REST, operations, adapters, media and workflows.
Spec: https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from hub.interactions.accompanying import Accompanying
from hub.interactions.answer import BundleAnswer, Changed, Entry, Prefer, Preference, Response
from hub.interactions.door import Interactions
from hub.interactions.registry import RegistryHolder

__all__ = [
    "Accompanying",
    "BundleAnswer",
    "Changed",
    "Entry",
    "Interactions",
    "Prefer",
    "Preference",
    "RegistryHolder",
    "Response",
]
