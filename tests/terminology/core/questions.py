"""Asking the service about content that a test writes down; no store, no HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from terminology.core.checked import Given, Strictness
from terminology.core.checked import answer as parameters
from terminology.core.content import InlineSource, Library, PackageSource, answer
from terminology.core.expansion import Wish
from terminology.core.expansion import expand as expanded
from terminology.core.languages import languages
from terminology.core.scope import Scope, supplements_in
from terminology.core.shapes import ValueSet
from terminology.core.validate import in_code_system, in_value_set

Resource = dict[str, Any]

ANIMALS = "http://example.org/animals"
URL = "http://example.org/vs"


def concept(code: str, display: str = "", *children: Resource, **more: Any) -> Resource:
    """CodeSystem.concept."""
    made: Resource = {"code": code, **more}
    if display:
        made["display"] = display
    if children:
        made["concept"] = list(children)
    return made


def flags(**values: Any) -> list[Resource]:
    """CodeSystem.concept.property, by the type of each value."""
    made = []
    for code, value in values.items():
        kind = "valueBoolean" if isinstance(value, bool) else "valueString"
        made.append({"code": code, ("valueCode" if code == "status" else kind): value})
    return made


def code_system(*concepts: Resource, url: str = ANIMALS, **more: Any) -> Resource:
    """A CodeSystem."""
    return {
        "resourceType": "CodeSystem",
        "url": url,
        "version": "1.0.0",
        "status": "active",
        "content": "complete",
        "caseSensitive": True,
        "language": "en",
        "concept": list(concepts),
    } | more


animals = code_system(
    concept(
        "animal",
        "Animal",
        concept(
            "dog",
            "Dog",
            concept("puppy", "Puppy", property=flags(size="small")),
            property=flags(size="large"),
            designation=[
                {"language": "zh", "value": "狗"},
                {"language": "de", "value": "Hund"},
                {"use": {"system": "http://example.org/uses", "code": "old"}, "value": "Hound"},
            ],
        ),
        concept("cat", "Cat", property=flags(size="small")),
        concept("dodo", "Dodo", property=flags(status="retired")),
        property=flags(notSelectable=True),
    ),
    concept("plant", "Plant", definition="It grows."),
)
"""animal (abstract) > dog > puppy, cat, dodo (retired); plant."""


def value_set(*include: Resource, url: str = URL, **more: Any) -> Resource:
    """A ValueSet of some includes; `exclude` and `inactive` are of its compose."""
    compose: Resource = {"include": list(include)}
    for name in ("exclude", "inactive"):
        if name in more:
            compose[name] = more.pop(name)
    return {
        "resourceType": "ValueSet",
        "url": url,
        "version": "1",
        "status": "active",
        "compose": compose,
    } | more


def all_of(system: str = ANIMALS, **more: Any) -> Resource:
    """An include of a code system."""
    return {"system": system, **more}


def listed(*codes: str, system: str = ANIMALS, **more: Any) -> Resource:
    """An include that lists codes."""
    return {"system": system, "concept": [{"code": code} for code in codes], **more}


def filtered(property: str, op: str, value: str, system: str = ANIMALS) -> Resource:
    """An include with one filter."""
    return {"system": system, "filter": [{"property": property, "op": op, "value": value}]}


def scope_of(content: Sequence[Resource] = (animals,), language: str = "", **rules: Any) -> Scope:
    """The scope of a question about some content and R4's."""
    library = Library([InlineSource(list(content)), PackageSource()])
    return Scope(library, languages(language), **rules)


def expand(
    of: Resource,
    *content: Resource,
    language: str = "",
    rules: Mapping[str, Any] | None = None,
    **wish: Any,
) -> Resource:
    """The expansion of a value set."""
    scope = scope_of(content or (animals,), language, **_with(of, rules))
    given = ValueSet(of)
    now = "2026-01-01T00:00:00Z"
    made = asyncio.run(answer(scope.library, lambda: expanded(scope, given, Wish(**wish), now)))
    expansion: Resource = made["expansion"]
    return expansion


def _with(of: Resource, rules: Mapping[str, Any] | None) -> dict[str, Any]:
    found = dict(rules or {})
    found["supplements"] = (*found.get("supplements", ()), *supplements_in(of))
    return found


def codes(expansion: Resource) -> list[str]:
    """Its codes, each with a `>` for each code it stands under."""
    found: list[str] = []

    def walk(contains: Sequence[Resource], depth: int) -> None:
        for one in contains:
            found.append(">" * depth + one["code"])
            walk(one.get("contains", ()), depth + 1)

    walk(expansion.get("contains", ()), 0)
    return found


def validate(
    of: Resource | None,
    *given: Given,
    content: Sequence[Resource] = (animals,),
    language: str = "",
    concept: Resource | None = None,
    rules: Mapping[str, Any] | None = None,
    **how: Any,
) -> Answer:
    """What a validation says; without a value set, in the code systems alone."""
    scope = scope_of(content, language, **_with(of or {}, rules))
    strictness = Strictness(**how)

    def judge() -> Resource:
        if of is None:
            checked, together = in_code_system(scope, given, strictness), []
        else:
            one = ValueSet(of)
            checked, together = in_value_set(scope, one, given, strictness, concept is not None)
        return parameters(scope, checked, together, concept)

    return Answer(asyncio.run(answer(scope.library, judge)))


class Answer:
    """The Parameters of a validation, by name."""

    def __init__(self, resource: Resource) -> None:
        self.values: Resource = {}
        self.issues: list[Resource] = []
        for one in resource["parameter"]:
            if one["name"] == "issues":
                self.issues = one["resource"]["issue"]
            else:
                self.values[one["name"]] = next(one[key] for key in one if key.startswith("value"))

    @property
    def result(self) -> bool:
        return bool(self.values["result"])

    @property
    def kinds(self) -> list[tuple[str, str, str]]:
        """Severity, tx-issue-type and place of each issue, sorted."""
        return sorted(
            (
                one["severity"],
                one["details"]["coding"][0]["code"],
                (one.get("expression") or [""])[0],
            )
            for one in self.issues
        )
