"""Code systems as columns: hierarchy, status, odd shapes."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from terminology.core.code_system import Builder, code_system
from terminology.core.shapes import CodeSystem, Columns
from terminology.core.text import text_index, words_of
from tests.terminology.core.questions import animals, concept, flags
from tests.terminology.core.questions import code_system as resource


def names(system: CodeSystem, ordinals: Any) -> list[str]:
    return [system.code(one) for one in sorted(ordinals)]


def test_concepts_stand_in_the_order_of_the_definition() -> None:
    system = code_system(animals)
    assert system.columns.codes == ["animal", "dog", "puppy", "cat", "dodo", "plant"]
    assert system.find("dog") == 1
    assert system.find("Dog") is None
    assert names(system, system.roots()) == ["animal", "plant"]
    assert names(system, system.below(0)) == ["dog", "puppy", "cat", "dodo"]
    assert names(system, system.above(2)) == ["animal", "dog"]


def test_the_header_is_without_concepts() -> None:
    system = code_system(animals)
    assert "concept" not in system.resource
    assert "concept" in animals
    assert system.canonical == "http://example.org/animals|1.0.0"


def test_parents_and_children_may_be_properties() -> None:
    system = code_system(
        resource(
            concept("a", property=[{"code": "child", "valueCode": "c"}]),
            concept("b"),
            concept("c", property=[{"code": "under", "valueCode": "b"}]),
            property=[
                {"code": "under", "uri": "http://hl7.org/fhir/concept-properties#parent"},
            ],
        )
    )
    assert names(system, system.parents(2)) == ["a", "b"]
    assert names(system, system.roots()) == ["a", "b"]
    assert system.properties(2) == ()


def test_a_parent_that_is_not_there_is_left_out() -> None:
    system = code_system(resource(concept("a", property=[{"code": "parent", "valueCode": "x"}])))
    assert system.parents(0) == ()


def test_a_cyclic_hierarchy_ends() -> None:
    def under(parent: str) -> list[dict[str, Any]]:
        return [{"code": "parent", "valueCode": parent}]

    system = code_system(
        resource(
            concept("a", property=under("c")),
            concept("b", property=under("a")),
            concept("c", property=under("b")),
            concept("d"),
        )
    )
    assert names(system, system.below(0)) == ["b", "c"]
    assert names(system, system.above(0)) == ["b", "c"]
    assert [system.is_in_cycle(one) for one in range(4)] == [True, True, True, False]


def test_a_hierarchy_of_ten_thousand_levels_is_read() -> None:
    builder = Builder()
    for number in range(10_000):
        builder.add(str(number))
        builder.link(str(number), str(number - 1))
    system = CodeSystem({"url": "x"}, builder.finish())
    assert len(system.below(0)) == 9_999


def test_codes_of_an_insensitive_code_system_are_found_in_any_case() -> None:
    system = code_system(resource(concept("Code-1"), caseSensitive=False))
    assert system.find("cODE-1") == 0
    assert system.code(0) == "Code-1"


def test_retired_and_inactive_concepts_are_inactive() -> None:
    system = code_system(
        resource(
            concept("a", property=flags(status="retired")),
            concept("b", property=flags(inactive=True)),
            concept("c", property=flags(inactive=False)),
            concept("d", property=flags(status="deprecated")),
            concept("e", property=flags(status="active")),
        )
    )
    assert [system.is_inactive(one) for one in range(5)] == [True, True, False, False, False]


def test_a_code_that_comes_twice_is_one_concept() -> None:
    system = code_system(resource(concept("a", "First"), concept("b", "", concept("a", "Again"))))
    assert system.columns.codes == ["a", "b"]
    assert system.display(0) == "First"
    assert names(system, system.parents(0)) == ["b"]


def test_columns_survive_msgpack() -> None:
    columns = code_system(animals).columns
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(columns), type=Columns) == columns


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["code", "display", "concept", "property", "designation", "value", "use", "uri"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_no_shape_of_a_code_system_is_an_error(concepts: Any, properties: Any) -> None:
    system = code_system({"url": "x", "concept": concepts, "property": properties})
    for ordinal in range(len(system)):
        assert system.find(system.code(ordinal)) == ordinal
        system.is_abstract(ordinal)
        system.is_inactive(ordinal)


def test_text_is_found_by_parts_of_words_in_any_case() -> None:
    system = code_system(animals)

    def search(asked: str) -> list[str]:
        return names(system, text_index(system).search(words_of(asked)))

    assert search("DO") == ["dog", "dodo"]
    assert search("狗") == ["dog"]
    assert search("hund do") == ["dog"]
    assert search("pup dog") == []
    assert search("x") == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("ab狗\x00 \n"), max_size=6), max_size=8),
    st.text(st.sampled_from("ab狗 \x00"), min_size=1, max_size=5),
)
def test_a_text_search_finds_what_a_look_at_each_finds(displays: list[str], asked: str) -> None:
    builder = Builder()
    for number, display in enumerate(displays):
        builder.add(f"c{number}", display)
    system = CodeSystem({"url": "x"}, builder.finish())
    words = words_of(asked)
    if words:
        expected = [
            number
            for number, display in enumerate(displays)
            if all(
                word in display.replace("\x00", " ").casefold() or word in f"c{number}"
                for word in words
            )
        ]
        assert list(text_index(system).search(words)) == expected
