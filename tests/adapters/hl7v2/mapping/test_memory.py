"""What was made of a text before comes again, to each resource its own, with its remarks."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from adapters.hl7v2.mapping.memory import copies
from adapters.hl7v2.mapping.run import Memory
from adapters.hl7v2.mapping.variants import OFTEN
from adapters.hl7v2.message import parse
from adapters.hl7v2.sites import Site
from adapters.hl7v2.to_fhir import convert
from tests.adapters.hl7v2.mapping.trial import PID, RECEIVED, remarks, resource, said

_RESULT = "OBX|{}|NM|GLU^Glucose^LOCAL||5|mmol/L|4-6|{}|||F"


def _report(site: Site, flag: str = "N") -> Any:
    results = [_RESULT.format(number, flag) for number in range(1, OFTEN + 4)]
    return said(PID, "OBR|1|P|F|X", *results, kind="ORU^R01", site=site)


def test_what_is_the_same_is_nobody_elses() -> None:
    site = Site()
    last = [one for one in _report(site).resources if one.type == "Observation"]
    again = [one for one in _report(site).resources if one.type == "Observation"]
    last[-1].resource["code"]["coding"].append({"code": "changed"})
    last[-1].resource["referenceRange"][0]["low"]["value"] = 0
    third = [one for one in _report(site).resources if one.type == "Observation"]
    assert third[-1].resource == again[-1].resource
    assert last[-2].resource["code"] == again[-1].resource["code"]


def test_what_is_remarked_is_remarked_of_every_segment() -> None:
    places = [place for place, _ in remarks(_report(Site(), "?!"))]
    assert places == [f"OBX[{number}]-8" for number in range(1, OFTEN + 4)]


def test_a_name_of_another_sender_is_another_system() -> None:
    site = Site()
    _report(site)
    text = "\r".join(
        [
            "MSH|^~\\&|LIS|ELSEWHERE|||20260301||ORU^R01|C1|P|2.5.1",
            PID,
            "OBR|1|P|F|X",
            _RESULT.format(1, "N"),
        ]
    )
    made = resource(convert(parse(text), site, RECEIVED), "Observation[1]")
    assert made["code"]["coding"][0]["system"] == "urn:id:ELSEWHERE:LOCAL"


def test_a_memo_that_is_full_is_begun_anew() -> None:
    memory = Memory()
    memo = memory.of(("a",))
    assert memory.of(("a",)) is memo
    memo.update({(number,): None for number in range(3000)})
    assert memory.of(("a",)) == {}
    for number in range(1000):
        memory.of((number,))
    assert memory.of(("a",)) == {}


def test_a_copy_is_new_as_deep_as_it_goes() -> None:
    for inner in ([{"code": "a"}], [{"code": "a"}, {"code": "b"}], ["a", {"b": [1]}], ["a"], []):
        value = {"coding": inner, "text": "b"}
        copy = copies(value)
        assert copy is not None
        expected = deepcopy(value)
        copy()["coding"].append("c")
        value["coding"].append("d")
        for one in copy()["coding"]:
            if isinstance(one, dict):
                one["code"] = "e"
        assert copy() == expected
    assert copies("text") is None
