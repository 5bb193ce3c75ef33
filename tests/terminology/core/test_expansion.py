"""Expansions: what is in them, in which order and shape."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from terminology.core import expansion
from terminology.core.concept_view import CARRIED, DECLARED
from terminology.core.content import answer
from terminology.core.findings import Refused
from tests.terminology.core.questions import (
    ANIMALS,
    URL,
    Resource,
    all_of,
    animals,
    code_system,
    codes,
    concept,
    expand,
    filtered,
    flags,
    listed,
    scope_of,
    value_set,
)

PLANTS = "http://example.org/plants"
plants = code_system(concept("oak", "Oak"), concept("dog", "Dogwood"), url=PLANTS)


def properties(entry: Resource) -> dict[str, Any]:
    """What R5 has as contains.property."""
    found = {}
    for one in entry.get("extension", ()):
        if one["url"] == CARRIED:
            code, value = one["extension"]
            found[code["valueCode"]] = next(v for k, v in value.items() if k != "url")
    return found


def entry_of(made: Resource, code: str) -> Resource:
    waiting = list(made["contains"])
    for one in waiting:
        if one["code"] == code:
            return one  # type: ignore[no-any-return]
        waiting.extend(one.get("contains", ()))
    raise AssertionError(code)


def refusal(of: Resource, *content: Resource, **more: Any) -> str:
    with pytest.raises(Refused) as refused:
        expand(of, *content, **more)
    return refused.value.findings[0].message


# --- what is in -----------------------------------------------------------------------------


def test_a_whole_code_system_keeps_its_hierarchy() -> None:
    made = expand(value_set(all_of()))
    assert codes(made) == ["animal", ">dog", ">>puppy", ">cat", ">dodo", "plant"]
    assert made["total"] == 6


def test_a_flat_expansion_has_no_levels() -> None:
    made = expand(value_set(all_of()), flat=True)
    assert codes(made) == ["animal", "dog", "puppy", "cat", "dodo", "plant"]


def test_listed_codes_come_in_their_order_and_unknown_ones_do_not() -> None:
    assert codes(expand(value_set(listed("puppy", "nothing", "animal")))) == ["puppy", "animal"]


def test_a_child_stands_under_its_parent_only_when_that_is_in() -> None:
    made = expand(value_set(filtered("concept", "descendent-of", "animal")))
    assert codes(made) == ["dog", ">puppy", "cat", "dodo"]


def test_all_filters_of_an_include_hold() -> None:
    include = filtered("concept", "is-a", "animal")
    include["filter"].append({"property": "size", "op": "=", "value": "small"})
    assert codes(expand(value_set(include))) == ["puppy", "cat"]


def test_several_includes_are_joined_and_each_code_comes_once() -> None:
    made = expand(value_set(listed("dog"), listed("cat", "dog"), all_of(PLANTS)), animals, plants)
    assert codes(made) == ["dog", "cat", "oak", "dog"]


def test_excluded_codes_are_out() -> None:
    out = [filtered("concept", "is-a", "dog"), listed("plant")]
    made = expand(value_set(all_of(), exclude=out))
    assert codes(made) == ["animal", "cat", "dodo"]


def test_an_exclude_of_another_code_system_takes_nothing_out() -> None:
    made = expand(value_set(listed("dog"), exclude=[all_of(PLANTS)]), animals, plants)
    assert codes(made) == ["dog"]


def test_a_value_set_may_import_others() -> None:
    dogs = value_set(filtered("concept", "is-a", "dog"), url="http://example.org/dogs")
    small = value_set(filtered("size", "=", "small"), url="http://example.org/small")
    both = {"valueSet": [dogs["url"], small["url"]]}
    assert codes(expand(value_set(both), animals, dogs, small)) == ["puppy"]
    within = all_of() | {"valueSet": [dogs["url"]]}
    made = expand(value_set(within), animals, dogs)
    assert codes(made) == ["dog", ">puppy"]
    assert {"name": "used-valueset", "valueUri": "http://example.org/dogs|1"} in made["parameter"]


def test_a_contained_value_set_is_imported_by_its_id() -> None:
    inner = value_set(listed("cat"), url="http://example.org/inner", id="v")
    made = expand(value_set({"valueSet": ["#v"]}, contained=[inner]))
    assert codes(made) == ["cat"]
    assert not any(one["name"] == "used-valueset" for one in made["parameter"])


def test_value_sets_that_include_each_other_are_refused() -> None:
    first = value_set({"valueSet": ["http://example.org/b"]}, url="http://example.org/a")
    second = value_set({"valueSet": ["http://example.org/a"]}, url="http://example.org/b")
    with pytest.raises(Refused) as refused:
        expand(first, first, second)
    (finding,) = refused.value.findings
    assert finding.message == "tx-cyclic"
    assert "http://example.org/b" in finding.text("en")
    assert "http://example.org/b" in finding.text("zh")
    assert refusal(value_set({"valueSet": [URL]}), value_set({"valueSet": [URL]})) == "tx-cyclic"


def test_value_sets_that_import_each_other_too_deeply_are_refused() -> None:
    chain = [
        value_set({"valueSet": [f"http://example.org/{n + 1}"]}, url=f"http://example.org/{n}")
        for n in range(60)
    ]
    assert refusal(chain[0], *chain) == "tx-too-deep"


def test_a_value_set_that_has_only_an_expansion_stands_for_it() -> None:
    frozen = {
        "resourceType": "ValueSet",
        "url": URL,
        "expansion": {
            "contains": [
                {"system": ANIMALS, "code": "dog", "contains": [{"system": ANIMALS, "code": "cat"}]}
            ]
        },
    }
    assert codes(expand(frozen)) == ["dog", "cat"]


def test_inactive_codes_are_left_out_when_asked_for_or_written_so() -> None:
    assert "dodo" not in codes(expand(value_set(all_of()), active_only=True, flat=True))
    assert "dodo" not in codes(expand(value_set(all_of(), inactive=False), flat=True))
    assert "dodo" in codes(expand(value_set(all_of(), inactive=True), flat=True))


def test_a_code_system_may_be_left_out() -> None:
    of = value_set(all_of(PLANTS), listed("cat"))
    rules = {"left_out": frozenset((PLANTS,))}
    assert codes(expand(of, animals, plants, rules=rules)) == ["cat"]


# --- what is not there ----------------------------------------------------------------------


def test_an_unknown_code_system_is_refused() -> None:
    assert refusal(value_set(all_of("http://example.org/x"))) == "tx-system-unknown-expand"


def test_an_unknown_version_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(Refused) as refused:
        expand(value_set(all_of(version="2")), animals, animals | {"version": "3.0.0"})
    assert refused.value.status == 404
    text = refused.value.findings[0].text()
    assert text.endswith("Valid versions: 1.0.0 or 3.0.0")


def test_listed_codes_of_an_unknown_code_system_are_taken_as_they_are() -> None:
    include = listed("1", system="http://snomed.info/sct")
    include["concept"][0]["display"] = "One"
    made = expand(value_set(include))
    assert made["contains"] == [{"system": "http://snomed.info/sct", "code": "1", "display": "One"}]
    name = {"name": "unknown-codesystem", "valueUri": "http://snomed.info/sct"}
    assert name in made["parameter"]


def test_an_unknown_value_set_is_refused() -> None:
    assert refusal(value_set({"valueSet": ["http://example.org/x"]})) == "tx-value-set-unknown"


@pytest.mark.parametrize("include", [{}, {"concept": [{"code": "a"}]}, {"filter": [{}]}])
def test_an_include_of_nothing_is_refused(include: Resource) -> None:
    assert refusal(value_set(include)) == "tx-compose-shape"


# --- pages ----------------------------------------------------------------------------------


def test_pages_are_flat_and_know_the_total() -> None:
    first = expand(value_set(all_of()), count=2)
    assert codes(first) == ["animal", "dog"]
    assert (first["total"], first["offset"]) == (6, 0)
    assert codes(expand(value_set(all_of()), count=2, offset=5)) == ["plant"]
    assert codes(expand(value_set(all_of()), count=2, offset=9)) == []
    none = expand(value_set(all_of()), count=0)
    assert "contains" not in none
    assert none["total"] == 6


def test_too_many_codes_are_refused_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MOST", 5)
    with pytest.raises(Refused) as refused:
        expand(value_set(all_of()))
    issue = refused.value.findings[0].as_issue()
    assert issue["code"] == "too-costly"
    assert "count and offset" in issue["diagnostics"]
    assert "count" in refused.value.findings[0].as_issue("zh")["diagnostics"]
    assert len(codes(expand(value_set(all_of()), count=6, flat=True))) == 6


def test_a_large_code_system_is_answered_page_by_page() -> None:
    large = code_system(*(concept(f"c{n}", f"第 {n} 项") for n in range(30_000)))
    assert refusal(value_set(all_of()), large) == "tx-too-costly"
    made = expand(value_set(all_of()), large, count=10, offset=20_000)
    assert codes(made)[0] == "c20000"
    assert made["total"] == 30_000
    made = expand(value_set(all_of()), large, text="第 2999", count=5)
    assert made["total"] == 13
    made = expand(value_set(all_of()), large, text="第", count=5)
    assert "total" not in made
    assert len(made["contains"]) == 5


# --- text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("do", ["dog", "dodo"]),
        ("DOG", ["dog"]),
        ("狗", ["dog"]),
        ("nothing", []),
        ("   ", ["animal", "dog", "puppy", "cat", "dodo", "plant"]),
    ],
)
def test_a_text_filter_looks_at_all_words(asked: str, expected: list[str]) -> None:
    assert codes(expand(value_set(all_of()), text=asked, flat=True)) == expected


def test_a_text_filter_looks_at_the_words_of_the_value_set() -> None:
    include = listed("dog", "cat")
    include["concept"][1]["designation"] = [{"value": "Mieze"}]
    assert codes(expand(value_set(include), text="miez")) == ["cat"]


# --- how a code is shown --------------------------------------------------------------------


def test_abstract_and_inactive_codes_say_so() -> None:
    made = expand(value_set(all_of()))
    assert entry_of(made, "animal")["abstract"] is True
    assert entry_of(made, "dodo")["inactive"] is True
    assert "abstract" not in entry_of(made, "dog")
    assert properties(entry_of(made, "dodo")) == {"status": "retired"}


def test_displays_follow_the_language() -> None:
    made = expand(value_set(all_of()), language="zh-CN,zh;q=0.9", flat=True, designations=True)
    dog = entry_of(made, "dog")
    assert dog["display"] == "狗"
    assert [one["value"] for one in dog["designation"]] == ["Dog", "Hund", "Hound"]
    assert entry_of(made, "cat")["display"] == "Cat"


def test_designations_are_shown_when_asked_for_and_by_language_or_use() -> None:
    of = value_set(listed("dog"))
    assert "designation" not in entry_of(expand(of), "dog")
    for chosen, expected in (
        (("urn:ietf:bcp:47|de",), ["Hund"]),
        (("http://example.org/uses|old",), ["Hound"]),
        (("urn:ietf:bcp:47|fr",), []),
    ):
        dog = entry_of(expand(of, designations=True, chosen=chosen), "dog")
        assert [one["value"] for one in dog.get("designation", ())] == expected


def test_the_value_set_may_name_a_code_otherwise() -> None:
    include = listed("dog")
    include["concept"][0] |= {"display": "Doggy", "designation": [{"value": "Wau"}]}
    dog = entry_of(expand(value_set(include), designations=True), "dog")
    assert dog["display"] == "Doggy"
    assert {"Dog", "Wau"} <= {one["value"] for one in dog["designation"]}


def test_properties_are_shown_in_the_extensions_of_r5() -> None:
    made = expand(value_set(all_of()), flat=True, properties=("size", "definition", "parent"))
    assert properties(entry_of(made, "puppy")) == {"size": "small", "parent": "dog"}
    assert properties(entry_of(made, "plant")) == {"definition": "It grows."}
    declared = {
        one["extension"][0]["valueCode"] for one in made["extension"] if one["url"] == DECLARED
    }
    assert declared == {"size", "parent", "definition", "status"}


def test_versions_are_shown_when_a_value_set_mixes_them() -> None:
    newer = animals | {"version": "2.0.0"}
    of = value_set(listed("dog", version="1.0.0"), listed("cat", version="2.0.0"))
    made = expand(of, animals, newer)
    assert [one["version"] for one in made["contains"]] == ["1.0.0", "2.0.0"]


def test_a_deep_hierarchy_is_shown_to_a_depth_that_can_be_read() -> None:
    deep = code_system(
        *(
            concept(f"c{n}", property=[{"code": "parent", "valueCode": f"c{n - 1}"}])
            for n in range(500)
        )
    )
    made = codes(expand(value_set(all_of()), deep))
    assert len(made) == 500
    assert max(one.count(">") for one in made) <= 41


def test_concepts_in_a_ring_are_shown_flat() -> None:
    ring = code_system(
        concept("a", property=[{"code": "parent", "valueCode": "b"}]),
        concept("b", property=[{"code": "parent", "valueCode": "a"}]),
    )
    assert codes(expand(value_set(all_of()), ring)) == ["a", "b"]


# --- versions and supplements ---------------------------------------------------------------


def test_rules_say_which_version_is_used() -> None:
    newer = animals | {"version": "1.1.0", "concept": [concept("dog", "New dog")]}
    content = (animals, newer)

    def used(include: Resource, **rules: Any) -> str:
        made = expand(value_set(include), *content, rules=rules)
        told = (one for one in made["parameter"] if one["name"] == "used-codesystem")
        return str(next(told)["valueUri"]).partition("|")[2]

    assert used(all_of()) == "1.1.0"
    assert used(all_of(version="1.0.0")) == "1.0.0"
    assert used(all_of(), default={ANIMALS: "1.0.0"}) == "1.0.0"
    assert used(all_of(version="1.1.0"), default={ANIMALS: "1.0.0"}) == "1.1.0"
    assert used(all_of(version="1.1.0"), force={ANIMALS: "1.0.x"}) == "1.0.0"
    assert used(all_of(), check={ANIMALS: "1.0.x"}) == "1.0.0"
    with pytest.raises(Refused) as refused:
        used(all_of(version="1.1.0"), check={ANIMALS: "1.0.x"})
    assert refused.value.findings[0].message == "tx-version-check"


def test_a_supplement_adds_words_only_when_it_is_asked_for() -> None:
    more = code_system(
        concept("cat", designation=[{"language": "zh", "value": "猫"}], property=flags(legs="4")),
        concept("unknown"),
        url="http://example.org/more",
        content="supplement",
        supplements=ANIMALS,
    )
    of = value_set(listed("cat"))
    assert entry_of(expand(of, animals, more, language="zh"), "cat")["display"] == "Cat"
    rules = {"supplements": ("http://example.org/more",)}
    made = expand(of, animals, more, language="zh", rules=rules, properties=("legs",))
    assert entry_of(made, "cat")["display"] == "猫"
    assert properties(entry_of(made, "cat")) == {"legs": "4"}
    named = {"name": "used-supplement", "valueUri": "http://example.org/more|1.0.0"}
    assert named in made["parameter"]
    rules = {"supplements": ("http://example.org/none",)}
    assert refusal(of, animals, more, rules=rules) == "tx-supplement-unknown"


def test_a_code_system_is_put_together_with_its_supplements_once() -> None:
    more = code_system(concept("cat"), url=URL, content="supplement", supplements=ANIMALS)
    scope = scope_of((animals, more), supplements=(URL,))
    first = asyncio.run(answer(scope.library, lambda: scope.choose(ANIMALS).system))
    assert scope.choose(ANIMALS).system is first


def test_what_is_withdrawn_is_told() -> None:
    made = expand(value_set(all_of()), animals | {"status": "retired"})
    name = {"name": "warning-retired", "valueUri": f"{ANIMALS}|1.0.0"}
    assert name in made["parameter"]
    made = expand(value_set(all_of(), status="draft"), animals | {"status": "draft"})
    assert not any(one["name"].startswith("warning") for one in made["parameter"])


def test_content_of_r4_is_there() -> None:
    gender = {"valueSet": ["http://hl7.org/fhir/ValueSet/administrative-gender"]}
    assert codes(expand(value_set(gender))) == ["male", "female", "other", "unknown"]


def test_a_url_of_a_code_system_implies_value_sets() -> None:
    whole = {"valueSet": [f"{ANIMALS}?fhir_vs"]}
    assert len(codes(expand(value_set(whole)))) == 6
    below = {"valueSet": [f"{ANIMALS}?fhir_vs=isa/dog"]}
    assert codes(expand(value_set(below))) == ["dog", ">puppy"]
