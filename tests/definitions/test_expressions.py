"""Every search expression reaches an element, of a type that its kind of search can use.

A small reader of the shapes that R4's expressions have; the engine's own tests are elsewhere.
"""

from __future__ import annotations

import re

import pytest

from hub.definitions import (
    SearchParameter,
    left_out_parameters,
    search_parameters,
    type_definition,
    type_names,
)

USABLE = {
    "token": "code Coding CodeableConcept Identifier ContactPoint boolean id string uri canonical",
    "reference": "Reference canonical uri Resource",
    "date": "date dateTime instant Period Timing",
    "string": "string markdown HumanName Address",
    "uri": "uri url canonical oid uuid",
    "quantity": "Quantity Money SampledData Range Age Duration Count Distance",
    "number": "integer decimal positiveInt unsignedInt Range",
    "special": "BackboneElement Location.position",
}


def split(text: str, mark: str) -> list[str]:
    """The parts of a text at a mark outside of brackets and quotation marks."""
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == mark and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def step(types: set[str], name: str) -> set[str]:
    """The types that an element of that name has in any of these types."""
    found: set[str] = set()
    for path in types:
        for row in type_definition(path.partition(".")[0]).elements:
            if row.path.removesuffix("[x]") == f"{path}.{name}":
                if row.content_reference:
                    found.add(row.content_reference)
                for kind in row.types:
                    is_inner = kind.code in ("BackboneElement", "Element")
                    found.add(row.path if is_inner else kind.code)
    return found


def follow(steps: list[str], types: set[str]) -> set[str]:
    for text in steps:
        call = re.fullmatch(r"(\w+)\((.*)\)", text, re.DOTALL)
        if call is None:
            types = step(types, re.sub(r"\[\d+\]$", "", text))
        elif call[1] in ("as", "ofType"):
            types &= {call[2]}
        elif call[1] == "extension":
            types = {"Extension"}
        elif call[1] == "exists":
            types = {"boolean"}
        else:
            assert call[1] == "where", text
    return types


def reach(branch: str, types: set[str]) -> set[str]:
    """The types that one branch of an expression ends at."""
    if re.fullmatch(r"\([^()]*(\([^()]*\)[^()]*)*\)", branch):
        return reach(branch[1:-1].strip(), types)
    if " and " in branch:
        return {"boolean"}
    cast = re.fullmatch(r"(.*) as (\w+)", branch)
    if cast:
        return reach(cast[1], types) & {cast[2]}
    first, *rest = split(branch, ".")
    if first == "%resource":
        return follow(rest, types)
    if first.startswith("("):
        return follow(rest, reach(first[1:-1], types))
    if first in type_names():
        return follow(rest, {"Patient" if first == "Resource" else first})
    return follow([first, *rest], types) if first != "$this" else follow(rest, types)


INDEXED = [row for row in search_parameters() if row.url not in left_out_parameters()]


@pytest.mark.parametrize("row", INDEXED, ids=lambda row: row.url.rpartition("/")[2])
def test_every_base_has_a_branch_that_reaches_a_usable_element(row: SearchParameter):
    branches = split(row.expression, "|")
    for base in row.base:
        own = [text for text in branches if re.match(rf"\(*{base}\b", text)]
        assert own, f"no branch starts at {base}"
        for text in own:
            found = reach(text, {base})
            if row.type == "composite":
                check_components(row, found, base)
            else:
                assert found & set(USABLE[row.type].split()), text


def check_components(row: SearchParameter, types: set[str], base: str) -> None:
    by_url = {other.url: other for other in search_parameters()}
    for part in row.components:
        for text in split(part.expression, "|"):
            start = {base} if text.startswith("%resource") else types
            usable = USABLE[by_url[part.definition].type].split()
            assert reach(text, start) & set(usable), (part.definition, text)


def test_a_reference_to_anything_lists_no_targets():
    by_url = {row.url.rpartition("/")[2]: row for row in search_parameters()}
    assert by_url["Provenance-target"].targets == ()
    assert by_url["Encounter-service-provider"].targets == ("Organization",)
