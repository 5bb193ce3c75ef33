"""Required bindings: code, Coding and CodeableConcept.

https://hl7.org/fhir/R4/terminologies.html#required. A value set is enumerated by
`hub.definitions.bound_codes` or checked by a syntax; one that is neither is not checked.
Called by `hub.validation.source` and `hub.validation.structure`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hub.definitions import BoundCodes, Element, bound_codes
from hub.model.code_syntax import SYNTAXES, SYSTEMS

_LISTED = 12


@dataclass(frozen=True, slots=True)
class RequiredCodes:
    """The codes that a required binding allows.

    Attributes:
        value_set: Its canonical.
        listed: Every allowed code, None where a syntax decides.
        systems: Code system to its allowed codes.
        accepts: Tests one code, whatever its system.
        syntax_system: The one code system of a syntax, if it has one.
    """

    value_set: str
    listed: frozenset[str] | None
    systems: Mapping[str, frozenset[str]]
    accepts: Callable[[str], bool]
    syntax_system: str | None

    def accepts_coding(self, coding: Mapping[str, Any]) -> bool:
        """Whether a Coding with system and code is in the value set."""
        code, system = coding.get("code"), coding.get("system")
        if not isinstance(code, str) or not isinstance(system, str):
            return self.listed is None and self.syntax_system is None
        if self.listed is not None:
            return code in self.systems.get(system, ())
        return self.syntax_system in (None, system) and self.accepts(code)

    def accepts_concept(self, concept: Mapping[str, Any]) -> bool:
        """Whether one of the codings is in the value set.

        A concept that is only an extension says why there is no value, and is let be.
        """
        if "coding" not in concept:
            return "text" not in concept and "extension" in concept
        codings = concept["coding"]
        if not isinstance(codings, list):
            return True  # The structure is at fault, and said to be.
        return any(isinstance(one, dict) and self.accepts_coding(one) for one in codings)

    def words(self) -> str:
        """Allowed codes for a message, cut short where there are many; empty for a syntax."""
        if self.listed is None:
            return ""
        codes = sorted(self.listed)
        more = ", ..." if len(codes) > _LISTED else ""
        return ", ".join(codes[:_LISTED]) + more


def required_codes(element: Element) -> RequiredCodes | None:
    """What the element's binding demands.

    Args:
        element: Any element.

    Returns:
        None where it has no required binding, or one that the package cannot tell.
    """
    binding = element.binding
    if binding is None or binding.strength != "required":
        return None
    return codes_of(binding.value_set)


@lru_cache(maxsize=4096)
def codes_of(value_set: str) -> RequiredCodes | None:
    """The codes of a value set of the package, None where it cannot tell."""
    codes: BoundCodes | None = bound_codes(value_set)
    if codes is None or codes.syntax == "all":
        return None
    if codes.syntax is not None:
        system = SYSTEMS.get(codes.syntax)
        return RequiredCodes(value_set, None, {}, SYNTAXES[codes.syntax], system)
    return RequiredCodes(value_set, codes.codes, codes.systems, codes.codes.__contains__, None)
