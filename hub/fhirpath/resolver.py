"""What FHIRPath asks of the outside: references, terminology and profiles.

Protocols that `Environment` carries (https://hl7.org/fhir/R4/fhirpath.html#functions); storage
and terminology implement them. All are called during an evaluation, so they must be quick and
must not raise for something that merely is not there.
"""

from __future__ import annotations

from typing import Any, Protocol


class Resolver(Protocol):
    """Finds the resource behind a reference."""

    def resolve(self, reference: str) -> dict[str, Any] | None:
        """The resource, or None.

        Args:
            reference: As in Reference.reference or a canonical: `Patient/1`, an absolute URL,
                `urn:uuid:...`. Contained references never arrive here.
        """


class MemberOf(Protocol):
    """Answers questions about codes."""

    def member_of(self, system: str | None, code: str, value_set: str) -> bool | None:
        """Whether a code is in a value set.

        Args:
            system: Code system, or None for a bare code.
            code: The code.
            value_set: Canonical of the value set, maybe with `|version`.

        Returns:
            True or False; None when it cannot be told (unknown value set or code system).
        """

    def subsumes(self, system: str, general: str, specific: str) -> bool | None:
        """Whether `general` subsumes or equals `specific`; None when it cannot be told."""


class ConformsTo(Protocol):
    """Validates against a profile."""

    def conforms_to(self, resource: Any, profile: str) -> bool | None:
        """Whether an element conforms to the profile with this canonical; None: unknown one."""
