"""Which resource an object under validation belongs to. Made by both passes, read by the rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Scope:
    """The resource around an object.

    Attributes:
        resource: The nearest resource: FHIRPath's `%resource`.
        container: The resource that `#id` looks into: `%rootResource`. Differs from `resource`
            only inside a contained resource.
        with_entries: False: resources in Bundle entries and Parameters are validated elsewhere.
    """

    __slots__ = ("_contained", "_ids", "container", "resource", "with_entries")

    def __init__(
        self,
        resource: Mapping[str, Any],
        container: Mapping[str, Any] | None = None,
        with_entries: bool = True,
    ) -> None:
        self.resource = resource
        self.container = resource if container is None else container
        self.with_entries = with_entries
        self._contained: dict[str, Mapping[str, Any]] | None = None
        self._ids: dict[str, str] | None = None

    @property
    def is_contained(self) -> bool:
        """Whether the nearest resource is a contained one."""
        return self.resource is not self.container

    def contained_with(self, identity: str) -> Mapping[str, Any] | None:
        """The contained resource with an id, or None."""
        if self._contained is None:
            rows = self.container.get("contained")
            self._contained = {
                row["id"]: row
                for row in (rows if isinstance(rows, list) else ())
                if isinstance(row, dict) and isinstance(row.get("id"), str)
            }
        return self._contained.get(identity)

    def taken(self, element_id: str, where: str = "") -> str | None:
        """Take the id of an element of this resource; those of contained ones are theirs.

        Args:
            element_id: Its id (https://hl7.org/fhir/R4/element.html#id).
            where: FHIRPath of the id.

        Returns:
            Where it was met before; None: nowhere.
        """
        if self._ids is None:
            self._ids = {}
        elif element_id in self._ids:
            return self._ids[element_id]
        self._ids[element_id] = where
        return None

    def start_again(self) -> None:
        """Forget the ids that another pass met."""
        self._ids = None

    def inner(self, contained: Mapping[str, Any]) -> Scope:
        """The scope of a contained resource."""
        scope = Scope(contained, self.container, self.with_entries)
        scope._contained = self._contained
        return scope
