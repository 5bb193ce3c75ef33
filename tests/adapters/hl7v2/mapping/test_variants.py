"""Segments of a usual shape say what they said when their shape was new."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from adapters.hl7v2.mapping.variants import OFTEN, Shelf
from adapters.hl7v2.message import parse
from adapters.hl7v2.sites import Site
from adapters.hl7v2.to_fhir import convert
from tests.adapters.hl7v2 import own_messages
from tests.adapters.hl7v2.mapping.trial import PID, RECEIVED, resource, said
from tests.adapters.hl7v2.own_messages import case, converted, told


@pytest.mark.parametrize("name", own_messages.names())
def test_a_message_of_usual_segments_says_what_its_case_tells(name: str) -> None:
    known = case(name)
    for _ in range(OFTEN + 1):
        _, result = converted(known.raw)
    assert told(result) == known.expected


def test_usual_segments_come_from_the_same_fields() -> None:
    text = (case("oru/correction").raw).decode()
    site = Site()
    first = convert(parse(text), site, RECEIVED)
    for _ in range(OFTEN + 1):
        last = convert(parse(text), site, RECEIVED)
    assert [astuple(one) for one in first.resources] == [astuple(one) for one in last.resources]


@pytest.mark.parametrize("empty", ['""', "^^", "~M", '""~M'])
def test_a_field_of_nothing_is_no_value_in_a_usual_segment(empty: str) -> None:
    site = Site()
    for _ in range(OFTEN + 1):
        usual = said(PID + "|||M", "PV1|1|I|W^1^2|E", site=site)
        odd = said(PID + f"|||{empty}", f"PV1|1|I|{empty}|E", site=site)
    assert resource(usual, "Patient")["gender"] == "male"
    fresh = said(PID + f"|||{empty}", f"PV1|1|I|{empty}|E", site=Site())
    assert [astuple(one) for one in odd.resources] == [astuple(one) for one in fresh.resources]
    assert odd.remarks == fresh.remarks


def test_what_a_usual_shape_never_makes_is_made_of_another_shape() -> None:
    site = Site()
    header = "OBR|1|P|F|X"
    for _ in range(OFTEN + 1):
        said(PID, header, "OBX|1|NM|GLU^Glucose^LN||5|mmol/L|||||F", kind="ORU^R01", site=site)
    words = said(PID, header, "OBX|1|ST|GLU^Glucose^LN||much|||||||F", kind="ORU^R01", site=site)
    absent = said(PID, header, "OBX|1|NM|GLU^Glucose^LN||||||||N", kind="ORU^R01", site=site)
    assert resource(words, "Observation[1]")["valueString"] == "much"
    assert "dataAbsentReason" in resource(absent, "Observation[1]")


def test_who_sends_ever_new_shapes_gets_maps_for_few_of_them() -> None:
    shelf = Shelf()
    for number in range(10_000):
        key = (number // OFTEN,)
        if key not in shelf.known and shelf.is_usual(key):
            shelf.keep(key, ())
    assert shelf.made <= 2 * OFTEN
    while len(shelf.known) < 500:
        name = (f"usual {shelf.made}",)
        while not shelf.is_usual(name):
            pass
        shelf.keep(name, ())
    assert shelf.is_usual(("rare",)) is False
    for number in range(10_000):
        shelf.is_usual((f"rare {number}",))
        shelf.keep((number,), ())
    assert len(shelf.known) <= 512
    assert len(shelf.seen) <= 4096
