"""The demo set: deterministic, closed under reference, nobody real."""

from collections import Counter
from datetime import date
from random import Random

import msgspec
import pytest

from hub.demo.generate import generate
from hub.demo.identity import RESIDENT_ID_SYSTEM, check_digit, resident_id
from hub.demo.names import names


def _text(resources):
    return [msgspec.json.encode(resource) for resource in resources]


def test_the_same_seed_gives_the_same_bytes():
    assert _text(generate(20, 7)) == _text(generate(20, 7))


def test_another_seed_gives_other_people():
    ours = {r["id"] for r in generate(5, 1) if r["resourceType"] == "Patient"}
    others = {r["id"] for r in generate(5, 2) if r["resourceType"] == "Patient"}
    assert not ours & others


def test_a_larger_set_only_appends():
    small, large = _text(generate(10, 1)), _text(generate(30, 1))
    assert large[: len(small)] == small


def test_every_reference_points_to_an_earlier_resource():
    seen = set()

    def targets(node):
        if isinstance(node, dict):
            if isinstance(node.get("reference"), str):
                yield node["reference"]
            for value in node.values():
                yield from targets(value)
        elif isinstance(node, list):
            for value in node:
                yield from targets(value)

    for resource in generate(50, 3):
        assert set(targets(resource)) <= seen
        key = f"{resource['resourceType']}/{resource['id']}"
        assert key not in seen
        seen.add(key)


@pytest.mark.parametrize(
    ("first17", "digit"), [("11010519491231002", "X"), ("44052418800101001", "4")]
)
def test_the_check_digit_follows_gb_11643(first17, digit):
    # The two worked examples of the standard.
    assert check_digit(first17) == digit


def test_resident_numbers_use_a_division_that_nobody_has():
    for resource in generate(100, 5):
        for identifier in resource.get("identifier", []):
            if identifier.get("system") == RESIDENT_ID_SYSTEM:
                number = identifier["value"]
                assert len(number) == 18
                assert number.startswith("00")
                assert number[17] == check_digit(number[:17])
                assert number[6:14] == resource["birthDate"].replace("-", "")
                assert int(number[16]) % 2 == (resource["gender"] == "male")


def test_surnames_are_as_frequent_as_they_are():
    drawn = Counter(names(Random(number), "female")[0]["family"] for number in range(20_000))
    share = {surname: count / drawn.total() for surname, count in drawn.items()}
    for surname in "王李张":
        assert 0.07 < share[surname] < 0.11
    assert share["欧阳"] < 0.005
    assert len(drawn) > 90


def test_the_gender_is_in_the_seventeenth_digit():
    assert int(resident_id("000100", date(1950, 2, 3), 7, "male")[16]) % 2 == 1
    assert int(resident_id("000100", date(1950, 2, 3), 7, "female")[16]) % 2 == 0


def test_readings_are_plausible():
    limits = {
        "8480-6": (80, 230),
        "8462-4": (40, 140),
        "8867-4": (35, 160),
        "14771-0": (3, 25),
        "4548-4": (3, 16),
        "29463-7": (3, 200),
        "8302-2": (50, 205),
    }
    found = set()
    for resource in generate(300, 11):
        if resource["resourceType"] != "Observation":
            continue
        for part in [resource, *resource.get("component", [])]:
            if "valueQuantity" in part:
                code = part["code"]["coding"][0]["code"]
                low, high = limits[code]
                assert low <= part["valueQuantity"]["value"] <= high
                found.add(code)
    assert found == set(limits)
