"""Code systems by rule, which cannot be listed: units, languages, media types, currencies.

Each request gets one of its own; a code becomes a concept when it is asked for. Called by the
package's source of content: R4 binds to these code systems and does not bring them.
Spec: https://hl7.org/fhir/R4/terminologies-systems.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.model.code_syntax import SYNTAXES, SYSTEMS
from terminology.core.shapes import CodeSystem, Resource

LONGEST = 256

_NAMES = {"mime": "MIMETypes", "bcp47": "BCP47", "ucum": "UCUM", "iso4217": "ISO4217"}
_BY_SYSTEM = {system: syntax for syntax, system in SYSTEMS.items()}


@dataclass(frozen=True, eq=False)
class GrammarSystem(CodeSystem):
    """A code system by rule, for one request."""

    rule: Callable[[str], bool] = bool

    @property
    def enumerable(self) -> bool:
        """Its codes cannot be listed."""
        return False

    @property
    def selections(self) -> dict[tuple[str, str, str], frozenset[int]]:
        """Nothing is kept: concepts are added all the time."""
        return {}

    def find(self, code: str) -> int | None:
        """Ordinal of a code that follows the rule, None for another."""
        found = self.known.get(code)
        if found is None and code and len(code) <= LONGEST and self.rule(code):
            found = self.known[code] = len(self.columns.codes)
            self.columns.codes.append(code)
            self.columns.displays.append("")
        return found

    @property
    def known(self) -> dict[str, int]:
        """Code to ordinal, of the codes asked for so far."""
        found: dict[str, int] = self.kept.setdefault("known", {})
        return found


def grammar_system(url: str) -> GrammarSystem | None:
    """The code system by rule with this url, None when there is none.

    Args:
        url: Of the code system.
    """
    syntax = _BY_SYSTEM.get(url)
    if syntax is None:
        return None
    resource: Resource = {
        "resourceType": "CodeSystem",
        "url": url,
        "name": _NAMES[syntax],
        "status": "active",
        "content": "complete",
        "caseSensitive": True,
    }
    return GrammarSystem(resource, rule=SYNTAXES[syntax])
