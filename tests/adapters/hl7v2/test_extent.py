"""Messages of too many parts are refused with a place, in no time; large ones pass."""

from __future__ import annotations

import time

import pytest

from adapters.hl7v2.extent import MOST_FIELDS, MOST_IN_FIELD, MOST_MERGES, MOST_SEGMENTS
from adapters.hl7v2.mapping.parts import bits
from adapters.hl7v2.message import Message, parse, unescape
from hub.errors import Unprocessable

MSH = "MSH|^~\\&|A|B|C|D|20260301||ORU^R01|1|P|2.5\r"


@pytest.mark.parametrize(
    ("text", "id", "place"),
    [
        ("ZZZ|1\r" * MOST_SEGMENTS, "hl7v2-segments-many", ""),
        ("PID" + "|" * MOST_FIELDS, "hl7v2-fields-many", ""),
        ("PID|1||A" + "~A" * MOST_IN_FIELD, "hl7v2-repetitions-many", "PID[1]-3"),
        ("OBX|1|ST|A||x" + "~x" * 60_000, "hl7v2-repetitions-many", "OBX[1]-5"),
        ("NK1|1|a" + "~a" * 900 + "\r", "", ""),
        (("NK1|1|a" + "~a" * 900 + "\r") * 60, "hl7v2-repetitions-many", "NK1[56]-2"),
        ("MRG|1\r" * (MOST_MERGES + 1), "hl7v2-segments-many", "MRG"),
        ("OBX|1|NA|A||1" + "~1" * 200_000, "", ""),
        ("OBX|1|ST|A||x\rNTE|1||y\r" * 10_000, "", ""),
    ],
)
def test_too_many_parts_are_refused_where_they_are(text: str, id: str, place: str) -> None:
    if not id:
        assert isinstance(parse(MSH + text), Message)
        return
    with pytest.raises(Unprocessable) as refused:
        parse(MSH + text)
    issue = refused.value.issues[0]
    assert (issue.message, issue.location) == (id, place)


def test_a_million_components_are_looked_at_once() -> None:
    before = time.process_time()
    found = bits(["", "a"] * 500_000, 1)
    assert found == int("10" * 500_000, 2) << 1
    assert time.process_time() - before < 2


def test_many_components_are_told_apart_like_few() -> None:
    for count in (1, 7, 200, 201, 400):
        texts = ["x" if number % 3 else "" for number in range(count)]
        assert bits(texts, 1) == sum(2 << n for n, text in enumerate(texts) if text)


def test_a_replacement_character_does_not_come_in_by_an_escape() -> None:
    assert unescape("a\\XEFBFBD\\b") == "a\\XEFBFBD\\b"
