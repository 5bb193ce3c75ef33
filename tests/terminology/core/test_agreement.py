"""What a value set lists and what it says is in it are the same, whatever it is made of."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from terminology.core.checked import Given
from terminology.core.findings import Refused
from tests.terminology.core.questions import (
    Resource,
    code_system,
    concept,
    expand,
    flags,
    validate,
    value_set,
)

SYSTEMS = ("http://example.org/a", "http://example.org/b")
CODES = ("c0", "c1", "c2", "c3", "c4", "c5")


def system(parents: list[int], retired: list[bool]) -> Resource:
    """Six concepts, each under an earlier one or none."""
    concepts = []
    for number, code in enumerate(CODES):
        properties = flags(size="odd" if number % 2 else "even")
        if parents[number] < number:
            properties.append({"code": "parent", "valueCode": CODES[parents[number]]})
        if retired[number]:
            properties += flags(status="retired")
        concepts.append(concept(code, code.upper(), property=properties))
    return code_system(*concepts)


SYSTEM = st.builds(
    system,
    st.lists(st.integers(0, 6), min_size=6, max_size=6),
    st.lists(st.booleans(), min_size=6, max_size=6),
)
HIERARCHY = ["is-a", "descendent-of", "is-not-a", "generalizes", "child-of", "descendent-leaf"]
FILTER = st.builds(
    lambda op, value: {"property": "concept", "op": op, "value": value},
    st.sampled_from([*HIERARCHY, "in", "not-in", "regex"]),
    st.sampled_from([*CODES[:3], "c1,c2", "c[0-2]"]),
) | st.builds(
    lambda op, value: {"property": "size", "op": op, "value": value},
    st.sampled_from(["=", "in", "exists"]),
    st.sampled_from(["odd", "odd,even", "true"]),
)


def include(imports: tuple[str, ...]) -> st.SearchStrategy[Resource]:
    parts: dict[str, st.SearchStrategy[Any]] = {
        "version": st.sampled_from(["1.0", "1.x", "x.0"]),
        "concept": st.lists(st.builds(dict, code=st.sampled_from(CODES)), min_size=1, max_size=4),
        "filter": st.lists(FILTER, min_size=1, max_size=2),
    }
    if imports:
        parts["valueSet"] = st.lists(st.sampled_from(imports), min_size=1, max_size=2)
    own = st.fixed_dictionaries({"system": st.sampled_from(SYSTEMS)}, optional=parts)
    if not imports:
        return own
    return own | st.fixed_dictionaries({"valueSet": parts["valueSet"]})


def value_sets() -> st.SearchStrategy[list[Resource]]:
    """Three value sets, of which each may import those before it."""

    def one(number: int) -> st.SearchStrategy[Resource]:
        known = tuple(f"http://example.org/vs{before}" for before in range(number))
        several = st.lists(include(known), min_size=1, max_size=3)
        return st.builds(
            lambda inside, outside, inactive: value_set(
                *inside,
                url=f"http://example.org/vs{number}",
                **({"exclude": outside} if outside else {}),
                **({} if inactive is None else {"inactive": inactive}),
            ),
            several,
            st.lists(include(known), max_size=2),
            st.sampled_from([None, None, True, False]),
        )

    return st.tuples(one(0), one(1), one(2)).map(list)


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(SYSTEM, SYSTEM, SYSTEM),
    value_sets(),
    st.booleans(),
)
def test_a_code_is_in_a_value_set_when_the_expansion_has_it(
    content: tuple[Resource, ...], sets: list[Resource], active_only: bool
) -> None:
    names = [(url, "1.0") for url in SYSTEMS] + [(SYSTEMS[0], "2.0")]
    named = [one | {"url": url, "version": v} for one, (url, v) in zip(content, names, strict=True)]
    of, everything = sets[-1], [*named, *sets]
    try:
        made = expand(of, *everything, flat=True, count=1000, active_only=active_only)
    except Refused:
        return
    inside = {(one["system"], one["code"]) for one in made.get("contains", ())}
    for url in SYSTEMS:
        for code in CODES:
            found = validate(of, Given(code, url), content=everything, active_only=active_only)
            assert found.result is ((url, code) in inside), (url, code)
