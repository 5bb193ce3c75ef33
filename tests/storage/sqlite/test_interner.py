"""Numbers for strings: stable, never mixed up, undone with their transaction."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import apsw
import pytest

from hub.storage.sqlite import index, interner, purge, schema
from hub.storage.sqlite.interner import NO_SYSTEM, NO_TYPE, TEXT, URI, Interner, grow, shrink
from hub.storage.sqlite.lexicon import Lexicon, after_prefix

ID = "dabfdec7-929a-3269-fd84-ab7e6ecaa245"


@pytest.fixture
def connection() -> apsw.Connection:
    made = apsw.Connection(":memory:")
    made.execute(schema.RECORD_DDL + index.DDL)
    schema.add_type_names(made)
    return made


def interner_of(connection: apsw.Connection) -> Interner:
    return Interner(connection, schema.load_type_names(connection).numbers)


def lexicon_of(connection: apsw.Connection) -> Lexicon:
    made = Lexicon(connection, schema.load_type_names(connection))
    made.refresh()
    return made


def test_a_term_keeps_its_number(connection: apsw.Connection) -> None:
    first = interner_of(connection)
    number = first.code("http://loinc.org", "8480-6")
    assert first.code("http://loinc.org", "8480-6") == number
    assert interner_of(connection).code("http://loinc.org", "8480-6") == number


def test_the_same_text_in_other_spaces_is_another_term(connection: apsw.Connection) -> None:
    one = interner_of(connection)
    numbers = [one.term(space, "x") for space in (NO_SYSTEM, URI, TEXT)]
    numbers += [one.code("http://a", "x"), one.code("http://b", "x")]
    assert len(set(numbers)) == 5
    lexicon = lexicon_of(connection)
    assert [lexicon.text(number) for number in numbers] == ["x"] * 5
    assert lexicon.codes(None, "x").ids == (numbers[0], *numbers[3:])
    assert lexicon.codes("http://b", "x").ids == (numbers[4],)


@pytest.mark.parametrize("asked", [1, 40, 5_000])
@pytest.mark.parametrize("system", ["", "http://a"])
def test_few_codes_of_a_system_and_more_than_it_has_are_found_alike(
    connection: apsw.Connection, asked: int, system: str
) -> None:
    one = interner_of(connection)
    numbers = [one.code(system, f"c{number}") for number in range(300)]
    uuid = one.code(system, ID)
    for other in ("http://b", "" if system else "http://a"):
        one.code(other, "c0")
    lexicon = lexicon_of(connection)
    codes = [ID, *(f"c{number}" for number in range(asked))]
    assert sorted(lexicon.codes_among(system, codes)) == sorted([uuid, *numbers[:asked]])
    assert lexicon.codes_among("http://none", codes) == []


def test_all_codes_of_a_system_lie_in_few_ranges(connection: apsw.Connection) -> None:
    one = interner_of(connection)
    numbers = {one.code("http://a", str(code)) for code in range(3000)}
    others = {one.code("http://b", str(code)) for code in range(300)}
    ranges = lexicon_of(connection).codes("http://a", None).ranges
    assert len(ranges) <= 6

    def is_inside(number: int) -> bool:
        return any(low <= number <= high for low, high in ranges)

    assert all(map(is_inside, numbers))
    assert not any(map(is_inside, others))


def test_a_system_is_found_again_after_its_term_was_purged(connection: apsw.Connection) -> None:
    one, lexicon = interner_of(connection), lexicon_of(connection)
    old = one.term(URI, "http://a")
    lexicon.refresh()
    assert lexicon.codes("http://a", "x").ids == ()
    purge.purge(connection, one)
    new = one.code("http://a", "x")
    lexicon.refresh()
    assert lexicon.term(URI, "http://a") != old
    assert lexicon.codes("http://a", "x").ids == (new,)


def test_a_uuid_is_stored_small_and_given_back_whole(connection: apsw.Connection) -> None:
    assert shrink(ID) == UUID(ID).bytes
    assert grow(shrink(ID)) == ID
    for text in (ID.upper(), ID[:-1], f"{ID[:-1]}g", ID.replace("-", "_")):
        assert grow(shrink(text)) == text
    number = interner_of(connection).code("", ID)
    assert lexicon_of(connection).text(number) == ID


def test_what_a_request_learnt_goes_with_it(connection: apsw.Connection) -> None:
    one = interner_of(connection)
    kept = one.code("", "kept")
    one.keep()
    connection.execute("SAVEPOINT request")
    one.code("", "gone")
    one.code("http://new", "gone")
    one.groups(1, 0, (5, 6))
    one.target(1, 3, "gone")
    one.words("gone gone")
    connection.execute("ROLLBACK TO request")
    one.forget()
    again = [one.code("", "gone"), one.code("http://new", "gone")]
    group = one.groups(1, 0, (5, 6))
    target, words = one.target(1, 3, "gone"), one.words("gone gone")
    fresh = interner_of(connection)
    assert [fresh.code("", "gone"), fresh.code("http://new", "gone")] == again
    assert fresh.groups(1, 0, (5, 6)) == group
    assert (fresh.target(1, 3, "gone"), fresh.words("gone gone")) == (target, words)
    assert one.code("", "kept") == kept


def test_a_group_number_is_not_used_twice(connection: apsw.Connection) -> None:
    one = interner_of(connection)
    connection.execute("SAVEPOINT request")
    undone = one.groups(1, 0, (5,))
    connection.execute("ROLLBACK TO request")
    one.reset()
    assert one.groups(1, 0, (6,)) != undone


def test_order_and_repeats_of_keys_do_not_matter(connection: apsw.Connection) -> None:
    one = interner_of(connection)
    assert one.groups(1, 0, (5, 6)) == one.groups(1, 0, (6, 5, 6))
    assert one.groups(1, 0, (5, 6)) != one.groups(2, 0, (5, 6))


def test_orders_of_keys_are_not_remembered_without_end(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interner, "LARGEST_CACHE", 10)
    one = interner_of(connection)
    group = one.groups(1, 0, (1, 2, 3, 4))
    for keys in permutations((1, 2, 3, 4)):
        assert one.groups(1, 0, keys) == group
    assert len(one._groups) == 10


def test_a_type_with_too_many_mixtures_gets_a_group_per_parameter(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interner, "MOST_GROUPS", 3)
    one = interner_of(connection)
    for key in range(3):
        assert len(one.groups(1, 0, (key, key + 1))) == 1
    several = one.groups(1, 0, (7, 8, 9))
    assert len(several) == 3
    assert one.groups(1, 0, (8,)) == several[1:2]
    assert one.groups(1, 0, (7, 8, 9)) == several


def test_a_target_that_comes_later_keeps_the_row_id(connection: apsw.Connection) -> None:
    one = interner_of(connection)
    reserved = one.target(1, 3, "later")
    assert one.target(1, NO_TYPE, "http://elsewhere") != reserved
    assert interner_of(connection).row_id(1, 3, "later") == reserved
    assert interner_of(connection).target(1, 3, "other") > reserved


def test_row_ids_of_tenants_and_types_differ(connection: apsw.Connection) -> None:
    one = interner_of(connection)
    keys = [(1, 3, "a"), (2, 3, "a"), (1, 4, "a"), (1, 3, "b")]
    assert len({one.target(*key) for key in keys}) == 4


@pytest.mark.parametrize(
    ("prefix", "after"),
    [("ab", "ac"), ("a\U0010ffff", "b"), ("\ud7ff", "\ue000"), ("张", "弡")],
)
def test_the_end_of_a_prefix_is_the_next_string(prefix: str, after: str) -> None:
    assert after_prefix(prefix) == after
