"""What a message is made from: resources that refer to each other, and how the receiver writes.

Filled by `adapters.hl7v2.outbox`, read by the modules of the segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.hl7v2.from_fhir import tables
from hub.model import reference

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """Resources by `Type/id`, and what the values depend on.

    Attributes:
        resources: Whatever the focus refers to, as it is now.
        zone: IANA zone that times are written in.
        namespaces: Identifier system to its name at the receiver (`HIS`).
        authority: Assigning authority of the hub's own ids.
        base: The hub's own base, below which a URL is one of its resources.
        codes: The receiver's own codes, by table and FHIR code.
    """

    resources: Mapping[str, Resource] = field(default_factory=dict)
    zone: str = "Asia/Shanghai"
    namespaces: Mapping[str, str] = field(default_factory=dict)
    authority: str = "FHIRHUB"
    base: str = ""
    codes: Mapping[str, tables.Codes] = field(default_factory=dict)

    def code(self, table: str, given: object, default: str = "") -> str:
        """A FHIR code in an HL7 table, or in the receiver's own.

        Args:
            table: Name of the table map.
            given: The code, None for none.
            default: When neither has anything for it.
        """
        own = self.codes.get(table)
        if own is not None and isinstance(given, str) and given in own:
            return own[given]
        return tables.code(table, given, default)

    def of(self, element: Any, *types: str) -> Resource | None:
        """What a Reference points to, contained or not; None when it is not here.

        Args:
            element: A Reference, None for none.
            types: Only of these types; none: any.
        """
        text = element.get("reference") if isinstance(element, dict) else None
        if not isinstance(text, str):
            return None
        parts = reference.parse(text, self.base)
        found = self.resources.get(f"{parts.type}/{parts.id}")
        if found is None or (types and found["resourceType"] not in types):
            return None
        return found

    def all_of(self, elements: Iterable[Any] | None, *types: str) -> list[Resource]:
        """What References point to, as far as it is here."""
        found = [self.of(element, *types) for element in elements or ()]
        return [one for one in found if one is not None]

    def content(self, attachment: Mapping[str, Any]) -> str:
        """Base64 of an Attachment: its own data, or that of the Binary it points to; "" for none.

        Args:
            attachment: With `data` or `url`.
        """
        data = attachment.get("data")
        if not data:
            found = self.of({"reference": attachment.get("url")}, "Binary")
            data = found.get("data") if found is not None else ""
        return "".join(str(data or "").split())
