"""Last writer wins per element: the end does not depend on the order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.marks import Marks, Stamp, pack, unpack
from adapters.hl7v2.merged_elements import Content
from adapters.hl7v2.merging import Merged, Told, merge, with_edits

A, B, C = ({"system": "s", "value": value} for value in "ABC")


def told(event: int, deleted: tuple[str, ...] = (), row: int = 0, **content: Any) -> Told:
    return Told(content, Stamp(event, row or event), deleted)


def after(type: str, *messages: Told, start: Content | None = None) -> Merged:
    made = Merged(start or {}, Marks(), frozenset())
    for message in messages:
        made = merge(type, made.content, unpack(type, pack(type, made.marks)), message)
    return made


def test_the_newest_message_tells_an_element() -> None:
    made = after("Patient", told(2, gender="male"), told(1, gender="female", birthDate="1970"))
    assert made.content == {"gender": "male", "birthDate": "1970"}
    assert made.taken == {"birthDate"}


@pytest.mark.parametrize(
    ("type", "content"),
    [
        ("Patient", {"identifier": [A, B, A], "gender": "male"}),
        ("Patient", {"identifier": []}),
        ("Observation", {"identifier": A, "valueString": "1", "status": "final"}),
        ("Observation", {"valueString": "1", "status": "final", "dataAbsentReason": {}}),
        ("Encounter", {"status": "finished", "period": {"start": "2026", "end": "2027"}}),
        ("DiagnosticReport", {"result": [{"reference": "Observation/1"}], "identifier": [A]}),
    ],
)
@pytest.mark.parametrize("floor", [Marks(), Marks(floor=Stamp(1, 1)), Marks(floor=Stamp(9, 1))])
def test_the_first_message_is_taken_as_any_other(type: str, content: Content, floor: Marks) -> None:
    bare: Content = {"resourceType": type}
    first = Told(bare | content, Stamp(2, 2))
    usual = first._replace(initial=("nothing",))  # Which asks for the general way.
    short, long = merge(type, bare, floor, first), merge(type, bare, floor, usual)
    assert short == long
    assert list(short.content) == list(long.content)
    assert pack(type, short.marks) == pack(type, long.marks)


def test_of_two_at_one_time_the_later_row_holds() -> None:
    first, later = told(1, row=7, gender="male"), told(1, row=8, gender="female")
    for order in permutations((first, later)):
        assert after("Patient", *order).content == {"gender": "female"}


def test_what_a_message_does_not_mention_stays() -> None:
    made = after("Patient", told(1, gender="male"), told(2, birthDate="1970"))
    assert made.content == {"gender": "male", "birthDate": "1970"}


def test_two_quotes_empty_an_element_and_nothing_older_brings_it_back() -> None:
    orders = permutations((told(1, gender="male"), told(2, deleted=("gender",))))
    assert [after("Patient", *order).content for order in orders] == [{}, {}]
    made = after("Patient", told(2, deleted=("gender",)), told(3, gender="female"))
    assert made.content == {"gender": "female"}


def test_identifiers_are_a_union_the_newest_message_first() -> None:
    messages = told(1, identifier=[A, B]), told(2, identifier=[C]), told(3, identifier=[A])
    for order in permutations(messages):
        assert after("Patient", *order).content == {"identifier": [A, C, B]}


def test_an_identifier_is_as_the_newest_message_that_has_it_tells_it() -> None:
    messages = (
        told(1, identifier=[A]),
        told(2, identifier=[A | {"use": "old"}]),
        told(3, identifier=[B]),
    )
    for order in permutations(messages):
        assert after("Patient", *order).content == {"identifier": [B, A | {"use": "old"}]}


def test_a_correction_of_one_result_leaves_the_others_in_the_report() -> None:
    one, two = {"reference": "Observation/1"}, {"reference": "Observation/2"}
    messages = told(1, result=[one, two], status="final"), told(2, result=[two], status="amended")
    for order in permutations(messages):
        assert after("DiagnosticReport", *order).content == {
            "result": [two, one],
            "status": "amended",
        }


def test_identifiers_are_not_deleted() -> None:
    made = after("Patient", told(1, identifier=[A]), told(2, deleted=("identifier",)))
    assert made.content == {"identifier": [A]}


@pytest.mark.parametrize(
    ("type", "first", "second"),
    [
        ("Observation", {"valueString": "x"}, {"valueQuantity": {"value": 1}}),
        ("Observation", {"dataAbsentReason": {}}, {"valueQuantity": {"value": 1}}),
        ("Patient", {"birthDate": "1970", "_birthDate": {"id": "x"}}, {"birthDate": "1971"}),
        ("Patient", {"deceasedBoolean": True}, {"deceasedDateTime": "2026"}),
        (
            "Appointment",
            {"status": "cancelled", "cancelationReason": {}},
            {"status": "booked"},
        ),
    ],
)
def test_what_belongs_together_is_replaced_together(
    type: str, first: Content, second: Content
) -> None:
    messages = told(1, **first), told(2, **second)
    assert all(after(type, *order).content == second for order in permutations(messages))


def test_a_discharge_stays_when_a_later_message_does_not_mention_it() -> None:
    start, end = {"start": "2026-01-01"}, {"end": "2026-01-09"}
    home = {"dischargeDisposition": {"text": "home"}}
    admitted = told(1, status="in-progress", period=start, hospitalization={"admitSource": {}})
    discharged = told(2, status="finished", period=start | end, hospitalization=home)
    changed = Told(
        {"status": "in-progress", "period": start, "priority": {}}, Stamp(3, 3), (), ("status",)
    )
    for order in permutations((admitted, discharged, changed)):
        assert after("Encounter", *order).content == {
            "status": "finished",
            "period": start | end,
            "hospitalization": {"admitSource": {}} | home,
            "priority": {},
        }
    cancelled = told(4, status="in-progress", period=start)
    for order in permutations((admitted, discharged, cancelled)):
        assert after("Encounter", *order).content["period"] == start


def test_an_element_is_emptied_with_its_parts() -> None:
    parts = {"admitSource": {}, "destination": {"display": "x"}}
    messages = told(1, hospitalization=parts), told(2, deleted=("hospitalization",))
    assert all(after("Encounter", *order).content == {} for order in permutations(messages))


def test_the_name_of_a_choice_empties_all_its_types() -> None:
    made = after("Patient", told(1, deceasedBoolean=True), told(2, deleted=("deceased",)))
    assert made.content == {}


def test_an_initial_element_holds_only_until_somebody_tells_of_it() -> None:
    initial = Told({"status": "in-progress"}, Stamp(9, 9), (), ("status",))
    finished = told(1, status="finished")
    for order in permutations((initial, finished)):
        assert after("Encounter", *order).content == {"status": "finished"}
    assert after("Encounter", initial).content == {"status": "in-progress"}
    kept = after("Encounter", initial, start={"status": "planned"})
    assert kept.content == {"status": "planned"}


def test_what_a_person_has_added_stays_until_a_message_tells_of_it() -> None:
    start = {"gender": "male", "maritalStatus": {"text": "x"}}
    made = after("Patient", told(1, birthDate="1970"), start=start)
    assert made.content == start | {"birthDate": "1970"}
    assert after("Patient", told(1, gender="female"), start=start).content["gender"] == "female"


def test_a_person_s_change_is_as_new_as_it_is() -> None:
    left = {"gender": "male", "birthDate": "1970", "identifier": [A, B]}
    current = {"gender": "female", "birthDate": "1970", "identifier": [A]}
    marks = after("Patient", told(1, **left)).marks
    known = with_edits("Patient", marks, left, current, 10)
    old = merge("Patient", current, known, told(5, gender="other", birthDate="1971"))
    assert old.content == current | {"birthDate": "1971"}
    again = merge("Patient", current, known, told(5, identifier=[B]))
    assert again.content["identifier"] == [A]
    newer = merge("Patient", current, known, told(11, gender="other", identifier=[B]))
    assert newer.content == current | {"gender": "other", "identifier": [B, A]}


def test_marks_are_small() -> None:
    elements = ("identifier", "name", "gender", "birthDate", "address", "telecom", "contact")
    content: dict[str, Any] = dict.fromkeys(elements, "x") | {"identifier": [A, B]}
    assert len(pack("Patient", after("Patient", told(1_790_000_000_000, **content)).marks)) < 50


def test_nothing_that_was_given_is_changed() -> None:
    content = {"identifier": [A], "gender": "male"}
    marks = Marks(1, stamps={"gender": Stamp(1, 1)})
    merge("Patient", content, marks, told(2, gender="female", identifier=[B]))
    assert content == {"identifier": [A], "gender": "male"}
    assert marks.stamps == {"gender": Stamp(1, 1)}


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "gender": st.sampled_from(["male", "female"]),
        "birthDate": st.sampled_from(["1970", "1971"]),
        "deceasedBoolean": st.booleans(),
        "deceasedDateTime": st.just("2026"),
        "identifier": st.lists(st.sampled_from([A, B, C]), unique_by=str, max_size=3),
    },
)
MESSAGES = st.lists(
    st.tuples(VALUES, st.sets(st.sampled_from(["gender", "birthDate", "deceased"])), st.booleans()),
    max_size=5,
)


@given(MESSAGES, st.data())
def test_any_order_with_repeats_has_one_end(messages: list[Any], data: st.DataObject) -> None:
    told_all = [
        Told(
            {k: v for k, v in content.items() if not (k == "deceasedDateTime" and both(content))},
            Stamp(number // 2, number),
            deleted,
            ("birthDate",) if initial else (),
        )
        for number, (content, deleted, initial) in enumerate(messages)
    ]
    expected = after("Patient", *told_all)
    repeats = data.draw(st.lists(st.sampled_from(told_all), max_size=3)) if told_all else []
    order = data.draw(st.permutations([*told_all, *repeats]))
    made = after("Patient", *order)
    assert made.content == expected.content
    assert made.marks == expected.marks


def both(content: Content) -> bool:
    """Whether both types of a choice are told, which no mapping does."""
    return "deceasedBoolean" in content and "deceasedDateTime" in content
