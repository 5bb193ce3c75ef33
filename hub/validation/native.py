"""Rules whose FHIRPath costs too much on large resources, written out.

Both look at every descendant of a resource that may hold hundreds of thousands, beyond the limits
of an evaluation. A test compares them with their FHIRPath. Called by `hub.validation.invariant`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def has_unique_codes(code_system: Mapping[str, Any]) -> bool:
    """csd-1: all codes of the concepts and of those below them differ."""
    return _is_unique(code_system, "concept", "code")


def has_unique_link_ids(questionnaire: Mapping[str, Any]) -> bool:
    """que-2: all linkIds of the items and of those below them differ."""
    return _is_unique(questionnaire, "item", "linkId")


def _is_unique(resource: Mapping[str, Any], children: str, name: str) -> bool:
    seen: set[str] = set()
    waiting = [resource]
    while waiting:
        rows = waiting.pop().get(children)
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, dict):
                continue
            value = row.get(name)
            if isinstance(value, str):
                if value in seen:
                    return False
                seen.add(value)
            if children in row:
                waiting.append(row)
    return True


# By key and the element that states the rule.
RULES: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], bool]] = {
    ("csd-1", "CodeSystem"): has_unique_codes,
    ("que-2", "Questionnaire"): has_unique_link_ids,
}
