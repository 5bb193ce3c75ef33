"""Code systems whose codes follow a rule and cannot be listed: units, languages, media types.

Each request gets one of its own; a code becomes a concept when it is asked for. Called by the
package's source of content: R4 binds to these code systems and does not bring them.
Spec: https://ucum.org/ucum, RFC 5646 (BCP-47), RFC 6838 (BCP-13)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.model.ucum import is_valid
from terminology.core.shapes import CodeSystem, Resource

LONGEST = 256

_LANGUAGE = re.compile(
    r"(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"  # language, extended language
    r"(?:-[a-z]{4})?"  # script
    r"(?:-(?:[a-z]{2}|[0-9]{3}))?"  # region
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3})){0,8}"  # variants
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8}){1,8}){0,8}"  # extensions
    r"(?:-x(?:-[a-z0-9]{1,8}){1,8})?"  # private use
    r"|x(?:-[a-z0-9]{1,8}){1,8}",
    re.IGNORECASE,
)
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_VALUE = r"(?:[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}|\"[^\"\\]{0,100}\")"
_MEDIA_TYPE = re.compile(rf"{_NAME}/{_NAME}(?: ?; ?{_NAME}={_VALUE}){{0,8}}")


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


def _is_language(code: str) -> bool:
    return _LANGUAGE.fullmatch(code) is not None


def _is_media_type(code: str) -> bool:
    return _MEDIA_TYPE.fullmatch(code) is not None


_RULES: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "http://unitsofmeasure.org": ("UCUM", is_valid),
    "urn:ietf:bcp:47": ("BCP47", _is_language),
    "urn:ietf:bcp:13": ("BCP13", _is_media_type),
}


def grammar_system(url: str) -> GrammarSystem | None:
    """The code system by rule with this url, None when there is none.

    Args:
        url: Of the code system.
    """
    found = _RULES.get(url)
    if found is None:
        return None
    name, rule = found
    resource: Resource = {
        "resourceType": "CodeSystem",
        "url": url,
        "name": name,
        "status": "active",
        "content": "complete",
        "caseSensitive": True,
    }
    return GrammarSystem(resource, rule=rule)
