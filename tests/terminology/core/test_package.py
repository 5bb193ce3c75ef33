"""R4's own content: the service and the bindings' tables say the same of every value set."""

from __future__ import annotations

import asyncio

import pytest

from hub.definitions import bound_codes, conformance_urls
from terminology.core.content import Library, PackageSource, answer
from terminology.core.expansion import Wish, expand
from terminology.core.findings import Refused
from terminology.core.scope import Scope

R4, V3 = "http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/ValueSet/v3-"

WIDER = frozenset(
    (
        f"{R4}detectedissue-category",
        f"{R4}parent-relationship-codes",
        f"{V3}ActPharmacySupplyType",
    )
)
"""The tables follow nested concepts only, not the property `child` of these code systems."""

NARROWER = frozenset((f"{R4}ucum-common",))
"""It lists some units that are none."""


async def codes_of(url: str) -> set[tuple[str, str]]:
    scope = Scope(Library([PackageSource()]))

    def made() -> set[tuple[str, str]]:
        found = scope.value_set(url)
        assert found is not None
        expansion = expand(scope, found, Wish(count=10_000, flat=True), "")["expansion"]
        return {(one["system"], one["code"]) for one in expansion.get("contains", ())}

    return await answer(scope.library, made)


def test_every_value_set_of_r4_has_the_codes_that_bindings_allow() -> None:
    compared, refused = 0, []
    for url in conformance_urls("ValueSet"):
        bound = bound_codes(url)
        if bound is None or "|" in url:
            continue
        try:
            mine = asyncio.run(codes_of(url))
        except Refused:
            refused.append(url)
            continue
        theirs = {(system, code) for system, codes in bound.systems.items() for code in codes}
        compared += 1
        if url in WIDER:
            assert mine > theirs
        elif url in NARROWER:
            assert mine < theirs
        else:
            assert mine == theirs, url
    assert compared > 1_200
    assert len(refused) <= 10, refused


@pytest.mark.parametrize("url", [f"{R4}mimetypes", f"{R4}all-languages", f"{R4}ucum-units"])
def test_value_sets_by_rule_cannot_be_listed(url: str) -> None:
    with pytest.raises(Refused) as refused:
        asyncio.run(codes_of(url))
    assert refused.value.findings[0].message == "tx-not-enumerable"


def test_a_value_set_that_names_a_version_nobody_has_means_the_one_that_is_there() -> None:
    assert ("http://hl7.org/fhir/CodeSystem/task-code", "approve") in asyncio.run(
        codes_of(f"{R4}task-code")
    )
