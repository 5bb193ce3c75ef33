"""What sorts a resource, and distance over the earth."""

from __future__ import annotations

import sys

import pytest

from hub.definitions import search_parameters_of
from hub.search.distance import metres
from hub.search.sorting import SORTED_CHARACTERS, finite, is_principal, sort_value
from hub.search.values import IndexRows, NumberRow, QuantityRow, ReferenceRow, StringRow, TokenRow


def parameter(type: str, code: str):
    return search_parameters_of(type)[code]


@pytest.mark.parametrize(
    ("type", "code", "expected"),
    [
        ("Observation", "date", True),
        ("Encounter", "date", True),
        ("MedicationRequest", "authoredon", True),
        ("MedicationRequest", "date", False),
        ("Patient", "birthdate", False),
        ("Observation", "code", False),
        ("Observation", "_lastUpdated", False),
        ("Nonsense", "date", False),
    ],
)
def test_the_principal_date_is_known_by_its_parameter(type: str, code: str, expected: bool) -> None:
    known = type if type != "Nonsense" else "Observation"
    assert is_principal(parameter(known, code), type) is expected


def test_the_least_value_sorts_upwards_and_the_greatest_downwards() -> None:
    name = parameter("Patient", "family")
    rows = IndexRows(strings=tuple(StringRow(name.key, text, text) for text in ("b", "a", "c")))
    assert sort_value(rows, name, False) == "a"
    assert sort_value(rows, name, True) == "c"
    assert sort_value(IndexRows(), name, True) is None


def test_other_parameters_and_flavours_do_not_sort() -> None:
    code = parameter("Observation", "code")
    rows = IndexRows(
        tokens=(
            TokenRow(code.key, "", "b"),
            TokenRow(code.key, "", "a", "", "of-type"),
            TokenRow(code.key + 1, "", "0"),
            TokenRow(code.key, "", "", "text alone"),
        )
    )
    assert sort_value(rows, code, False) == "b"
    assert sort_value(rows, code, True) == "text alone"


def test_long_strings_sort_by_their_start() -> None:
    name = parameter("Patient", "family")
    rows = IndexRows(strings=(StringRow(name.key, "a" * 500, ""),))
    assert sort_value(rows, name, False) == "a" * SORTED_CHARACTERS


def test_references_sort_by_name_or_url() -> None:
    subject = parameter("Observation", "subject")
    rows = IndexRows(
        references=(
            ReferenceRow(subject.key, "Patient", "p"),
            ReferenceRow(subject.key, "", "", "http://elsewhere"),
        )
    )
    assert sort_value(rows, subject, False) == "Patient/p"
    assert sort_value(rows, subject, True) == "http://elsewhere"


def test_quantities_sort_by_canonical_value_where_there_is_one() -> None:
    value = parameter("Observation", "value-quantity")
    in_mg = QuantityRow(value.key, 5, 5, "u", "mg", "mg", 0.005, 0.005, "g")
    tablets = QuantityRow(value.key, 3, 3, "", "", "tablets", 0, 0, "")
    rows = IndexRows(quantities=(in_mg, tablets))
    assert sort_value(rows, value, False) == 0.005
    assert sort_value(rows, value, True) == 3


def test_open_ends_sort_as_finite_numbers() -> None:
    number = parameter("RiskAssessment", "probability")
    rows = IndexRows(numbers=(NumberRow(number.key, float("-inf"), float("inf")),))
    assert sort_value(rows, number, False) == -sys.float_info.max
    assert finite(float("inf")) == sys.float_info.max


@pytest.mark.parametrize(
    ("one", "other", "kilometres"),
    [
        ((31.2304, 121.4737), (39.9042, 116.4074), 1067),
        ((0, 0), (0, 180), 20015),
        ((90, 0), (-90, 120), 20015),
        ((0, 179.5), (0, -179.5), 111),
        ((10, 10), (10, 10), 0),
    ],
)
def test_distances_are_right_to_a_kilometre(
    one: tuple[float, float], other: tuple[float, float], kilometres: int
) -> None:
    assert abs(metres(*one, *other) / 1000 - kilometres) < 1
    assert metres(*one, *other) == pytest.approx(metres(*other, *one))
