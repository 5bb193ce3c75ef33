"""Is a code valid, and what is said when it is not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from terminology.core.checked import Given
from terminology.core.content import answer
from terminology.core.findings import KINDS, Finding, Refused
from terminology.core.membership import used_systems
from terminology.core.scope import SUPPLEMENT
from terminology.core.shapes import ValueSet
from terminology.core.value_set import ready
from tests.terminology.core.questions import (
    ANIMALS,
    Resource,
    all_of,
    animals,
    code_system,
    concept,
    filtered,
    listed,
    scope_of,
    validate,
    value_set,
)

DOG = Given("dog", ANIMALS, location="Coding")
WHOLE = value_set(all_of())


def given(code: str, **more: str) -> Given:
    return Given(code, **({"system": ANIMALS, "location": "Coding"} | more))


# --- in and out -----------------------------------------------------------------------------


def test_a_code_of_a_value_set_is_valid() -> None:
    found = validate(WHOLE, DOG)
    assert found.values == {
        "result": True,
        "code": "dog",
        "system": ANIMALS,
        "version": "1.0.0",
        "display": "Dog",
    }
    assert found.issues == []


@pytest.mark.parametrize(
    ("include", "code", "expected"),
    [
        (listed("dog"), "dog", True),
        (listed("dog"), "cat", False),
        (filtered("concept", "is-a", "dog"), "puppy", True),
        (filtered("concept", "is-a", "dog"), "cat", False),
        (filtered("code", "regex", "d.g"), "dog", True),
        (filtered("code", "regex", "d.g"), "cat", False),
        ({"valueSet": ["http://example.org/dogs"]}, "puppy", True),
        ({"valueSet": ["http://example.org/dogs"]}, "cat", False),
        (all_of(valueSet=["http://example.org/dogs"]), "puppy", True),
        (all_of(valueSet=["http://example.org/dogs"]), "cat", False),
    ],
)
def test_an_include_decides(include: Resource, code: str, expected: bool) -> None:
    dogs = value_set(filtered("concept", "is-a", "dog"), url="http://example.org/dogs")
    found = validate(value_set(include), given(code), content=(animals, dogs))
    assert found.result is expected
    if not expected:
        assert found.kinds == [("error", "not-in-vs", "Coding.code")]
        assert found.values["display"]


def test_an_excluded_code_is_not_valid() -> None:
    out = value_set(all_of(), exclude=[filtered("concept", "is-a", "dog")])
    assert not validate(out, given("puppy")).result
    assert validate(out, given("cat")).result


def test_an_unknown_code_is_told_to_be_unknown() -> None:
    found = validate(WHOLE, given("cow"))
    assert found.kinds == [
        ("error", "invalid-code", "Coding.code"),
        ("error", "not-in-vs", "Coding.code"),
    ]
    found = validate(WHOLE, Given("cow", ANIMALS))
    assert found.kinds == [("error", "invalid-code", "code"), ("error", "not-in-vs", "code")]


def test_an_unknown_code_of_a_fragment_may_be_right() -> None:
    part = animals | {"content": "fragment"}
    found = validate(None, given("cow"), content=[part])
    assert found.result
    assert found.kinds == [("warning", "invalid-code", "Coding.code")]


def test_a_code_in_another_case_is_found_where_case_does_not_matter() -> None:
    loose = animals | {"caseSensitive": False}
    found = validate(WHOLE, given("DOG"), content=[loose])
    assert found.result
    assert found.values["normalized-code"] == "dog"
    assert found.kinds == [("information", "code-rule", "Coding.code")]
    assert not validate(WHOLE, given("DOG")).result


# --- systems --------------------------------------------------------------------------------


def test_an_unknown_system_is_named() -> None:
    found = validate(WHOLE, given("x", system="http://example.org/x"))
    assert found.values["x-unknown-system"] == "http://example.org/x"
    assert found.kinds == [
        ("error", "not-found", "Coding.system"),
        ("error", "not-in-vs", "Coding.code"),
    ]


def test_an_unknown_system_of_the_value_set_leaves_it_open() -> None:
    of = value_set(all_of("http://example.org/x"))
    found = validate(of, given("x", system="http://example.org/x"))
    assert not found.result
    assert found.values["x-caused-by-unknown-system"] == "http://example.org/x"
    assert found.kinds == [("error", "not-found", "Coding.system")]


def test_a_listed_code_of_a_system_that_nobody_has_is_valid() -> None:
    of = value_set(listed("1", system="http://snomed.info/sct"))
    assert validate(of, given("1", system="http://snomed.info/sct")).result
    assert not validate(of, given("2", system="http://snomed.info/sct")).result


def test_a_coding_without_a_system_cannot_be_valid() -> None:
    found = validate(WHOLE, Given("dog", location="Coding"))
    assert found.kinds == [
        ("error", "not-in-vs", "Coding.code"),
        ("warning", "invalid-data", "Coding"),
    ]


def test_a_system_must_be_absolute_and_no_value_set() -> None:
    kinds = validate(WHOLE, given("dog", system="animals")).kinds
    assert ("error", "invalid-data", "Coding.system") in kinds
    kinds = validate(WHOLE, given("dog", system=WHOLE["url"]), content=(animals, WHOLE)).kinds
    assert kinds == [
        ("error", "invalid-data", "Coding.system"),
        ("error", "not-in-vs", "Coding.code"),
    ]


def test_a_system_is_inferred_when_only_one_has_the_code() -> None:
    other = code_system(concept("cat"), concept("cow"), url="http://example.org/farm")
    of = value_set(all_of(), all_of("http://example.org/farm"))
    content = (animals, other)
    found = validate(of, Given("cow"), content=content, infer_system=True)
    assert found.values["system"] == "http://example.org/farm"
    kinds = validate(of, Given("cat"), content=content, infer_system=True).kinds
    assert ("error", "cannot-infer", "code") in kinds
    kinds = validate(of, Given("x"), content=content, infer_system=True).kinds
    assert ("error", "cannot-infer", "code") in kinds


# --- activity -------------------------------------------------------------------------------


def test_an_inactive_code_is_valid_with_a_warning() -> None:
    found = validate(WHOLE, given("dodo"))
    assert found.result
    assert (found.values["inactive"], found.values["status"]) == (True, "retired")
    assert found.kinds == [("warning", "code-comment", "Coding")]


@pytest.mark.parametrize(
    ("of", "how"), [(WHOLE, {"active_only": True}), (value_set(all_of(), inactive=False), {})]
)
def test_an_inactive_code_is_out_when_only_active_ones_are_in(
    of: Resource, how: dict[str, Any]
) -> None:
    found = validate(of, given("dodo"), **how)
    assert not found.result
    assert ("error", "code-rule", "Coding.code") in found.kinds
    assert ("error", "not-in-vs", "Coding.code") in found.kinds


def test_an_abstract_code_is_refused_where_that_is_said() -> None:
    assert validate(WHOLE, given("animal")).result
    assert validate(WHOLE, given("animal"), abstract=True).result
    assert not validate(WHOLE, given("animal"), abstract=False).result


def test_a_deprecated_code_is_valid_with_a_warning() -> None:
    old = code_system(concept("a", property=[{"code": "status", "valueCode": "deprecated"}]))
    found = validate(WHOLE, given("a"), content=[old])
    assert found.result
    assert found.values["status"] == "deprecated"
    assert found.kinds == [("warning", "code-comment", "Coding")]


def test_a_value_set_may_advise_against_a_code() -> None:
    include = listed("dog")
    url = "http://hl7.org/fhir/StructureDefinition/valueset-deprecated"
    include["concept"][0]["extension"] = [{"url": url, "valueBoolean": True}]
    assert validate(value_set(include), DOG).kinds == [("warning", "code-comment", "Coding")]


def test_a_draft_code_system_is_told() -> None:
    found = validate(WHOLE, DOG, content=[animals | {"status": "draft"}])
    assert found.result
    assert found.kinds == [("information", "status-check", "")]
    assert "message" not in found.values


# --- displays -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("display", "language", "expected"),
    [
        ("Dog", "", []),
        ("DOG", "", []),
        ("狗", "", []),
        ("Hund", "de", []),
        ("Hound", "", ["error"]),
        ("Cat", "", ["error"]),
        ("Dog", "de", ["error"]),
        ("Dog", "fr", ["information"]),
        ("Cat", "fr", ["error"]),
    ],
)
def test_a_display_is_judged_by_language(display: str, language: str, expected: list[str]) -> None:
    found = validate(WHOLE, given("dog", display=display), language=language)
    assert [severity for severity, _, _ in found.kinds] == expected
    assert found.result is (expected != ["error"])
    if expected:
        assert found.kinds[0][1:] == ("invalid-display", "Coding.display")


def test_a_wrong_display_is_a_warning_when_one_is_lenient() -> None:
    found = validate(WHOLE, given("dog", display="Cat"), lenient_display=True)
    assert found.result
    assert found.kinds == [("warning", "invalid-display", "Coding.display")]


def test_wrong_white_space_is_told_as_that() -> None:
    of = code_system(concept("a", "Two words"))
    found = validate(WHOLE, given("a", display="Two  words"), content=[of])
    assert not found.result
    assert "whitespace" in found.values["message"]


def test_a_display_that_was_withdrawn_is_a_warning() -> None:
    url = "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status"
    old = {"value": "Old", "extension": [{"url": url, "valueCode": "withdrawn"}]}
    of = code_system(concept("a", "New", designation=[old]))
    found = validate(WHOLE, given("a", display="Old"), content=[of])
    assert found.result
    assert found.kinds == [("warning", "display-comment", "Coding.display")]
    found = validate(WHOLE, given("a", display="Other"), content=[of])
    assert "'Old'" not in found.values["message"]


def test_the_value_set_may_allow_another_display() -> None:
    include = listed("dog")
    include["concept"][0]["display"] = "Doggy"
    for display in ("Doggy", "Dog", "狗"):
        assert validate(value_set(include), given("dog", display=display)).result


# --- concepts -------------------------------------------------------------------------------


def _concept(*codings: Given) -> tuple[tuple[Given, ...], Resource]:
    placed = tuple(
        Given(one.code, one.system, one.version, one.display, f"CodeableConcept.coding[{index}]")
        for index, one in enumerate(codings)
    )
    return placed, {"coding": [{"system": one.system, "code": one.code} for one in placed]}


def test_one_coding_of_a_concept_is_enough() -> None:
    codings, concept = _concept(given("cat"), DOG)
    found = validate(value_set(listed("dog")), *codings, concept=concept)
    assert found.result
    assert found.values["code"] == "dog"
    assert found.kinds == [("information", "this-code-not-in-vs", "CodeableConcept.coding[0].code")]


def test_a_concept_without_a_valid_coding_is_not_valid() -> None:
    codings, concept = _concept(given("cat"), given("cow"))
    found = validate(value_set(listed("dog")), *codings, concept=concept)
    assert not found.result
    assert ("error", "not-in-vs", "") in found.kinds
    assert ("error", "invalid-code", "CodeableConcept.coding[1].code") in found.kinds
    found = validate(value_set(listed("dog")), *codings, concept=concept, membership_only=True)
    assert {kind for _, kind, _ in found.kinds} == {"not-in-vs", "this-code-not-in-vs"}


# --- versions -------------------------------------------------------------------------------

NEWER = animals | {"version": "2.0.0"}


@pytest.mark.parametrize(
    ("included", "version", "expected"),
    [
        ("", "1.0.0", []),
        ("", "2.0.0", []),
        ("", "9", [("error", "not-found", "system"), ("warning", "vs-invalid", "version")]),
        ("1.0.0", "1.0.0", []),
        ("1.0.0", "2.0.0", [("error", "vs-invalid", "version")]),
        ("x.0.0", "1.0.0", []),
        ("1", "", [("error", "not-found", "system")]),
        (
            "1.0.0",
            "9",
            [("error", "not-found", "system"), ("error", "vs-invalid", "version")],
        ),
    ],
)
def test_the_version_of_a_code_is_compared(
    included: str, version: str, expected: list[tuple[str, str, str]]
) -> None:
    include = all_of(version=included) if included else all_of()
    one = Given("dog", ANIMALS, version)
    assert validate(value_set(include), one, content=(animals, NEWER)).kinds == expected


def test_rules_of_versions_hold_for_validations() -> None:
    def version(**rules: Any) -> tuple[bool, str]:
        found = validate(WHOLE, DOG, content=(animals, NEWER), rules=rules)
        return found.result, found.values["version"]

    assert version() == (True, "2.0.0")
    assert version(default={ANIMALS: "1.0.0"}) == (True, "1.0.0")
    assert version(force={ANIMALS: "1.x.x"}) == (True, "1.0.0")
    pinned = value_set(all_of(version="2.0.0"))
    found = validate(pinned, DOG, content=(animals, NEWER), rules={"check": {ANIMALS: "1.x.x"}})
    assert found.kinds == [("error", "version-error", "Coding.version")]


# --- what cannot be answered ----------------------------------------------------------------


def test_an_import_that_is_not_there_leaves_it_open() -> None:
    found = validate(value_set({"valueSet": ["http://example.org/none"]}), DOG)
    assert not found.result
    assert found.kinds == [("error", "not-found", "")]


def test_value_sets_in_a_ring_are_refused() -> None:
    ring = value_set({"valueSet": ["http://example.org/vs"]})
    with pytest.raises(Refused) as refused:
        validate(ring, DOG, content=(animals, ring))
    assert refused.value.findings[0].message == "tx-cyclic"


def test_a_supplement_that_is_not_there_is_refused() -> None:
    extension = [{"url": SUPPLEMENT, "valueCanonical": "http://example.org/none"}]
    with pytest.raises(Refused) as refused:
        validate(value_set(all_of(), extension=extension), DOG)
    assert refused.value.findings[0].message == "tx-supplement-unknown"


def test_the_code_systems_of_a_value_set_are_told() -> None:
    scope = scope_of()
    made = asyncio.run(
        answer(
            scope.library,
            lambda: used_systems(scope, ready(scope, ValueSet(WHOLE))),
        )
    )
    assert [one.canonical for one in made] == [f"{ANIMALS}|1.0.0"]


# --- in a code system -----------------------------------------------------------------------


def test_a_code_is_looked_for_in_its_own_code_system() -> None:
    assert validate(None, DOG).result
    assert validate(None, given("cow")).kinds == [("error", "invalid-code", "Coding.code")]
    kinds = validate(None, given("x", system="http://example.org/x")).kinds
    assert kinds == [("error", "not-found", "Coding.system")]
    assert not validate(None, given("dog", display="Cat")).result
    kinds = validate(None, given("dog", version="9")).kinds
    assert kinds == [("error", "not-found", "Coding.system")]


@pytest.mark.parametrize("message", sorted(KINDS))
def test_every_finding_has_words_in_both_languages(message: str) -> None:
    names = "system version versions url given included required coding value_set code correct"
    names += " status systems display languages default choices count property operator path most"
    names += " total name kind canonical"
    finding = Finding(message, arguments={name: name.upper() for name in names.split()})
    assert finding.text("en") != finding.text("zh")
    assert finding.as_issue("zh")["details"]["text"] == finding.text("zh")
