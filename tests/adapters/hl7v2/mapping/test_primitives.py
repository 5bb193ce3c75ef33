"""Texts of v2 become FHIR's primitives with the precision they have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.hl7v2.mapping.primitives import KINDS, Unusable
from adapters.hl7v2.mapping.run import CONTROL
from hub.definitions import type_names
from hub.validation import primitive

ZONE = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("date", "1985", "1985"),
        ("date", "198503", "1985-03"),
        ("date", "19850307", "1985-03-07"),
        ("date", "198503071230", "1985-03-07"),
        ("date", "1985-03-07", "1985-03-07"),
        ("date", "1985/03/07 12:30:00", "1985-03-07"),
        ("dateTime", "2026", "2026"),
        ("dateTime", "20260301", "2026-03-01"),
        ("dateTime", "2026030108", "2026-03-01T08:00:00+08:00"),
        ("dateTime", "202603010830", "2026-03-01T08:30:00+08:00"),
        ("dateTime", "20260301083015.1234", "2026-03-01T08:30:15.1234+08:00"),
        ("dateTime", "20260301083015-0500", "2026-03-01T08:30:15-05:00"),
        ("dateTime", "2026-03-01 08:30:15", "2026-03-01T08:30:15+08:00"),
        ("dateTime", "2026-03-01T08:30:15Z", "2026-03-01T08:30:15+00:00"),
        ("dateTime", "198607011200", "1986-07-01T12:00:00+09:00"),
        ("instant", "20260301083015", "2026-03-01T08:30:15+08:00"),
        ("time", "0830", "08:30:00"),
        ("time", "083015.25", "08:30:15.25"),
        ("boolean", "Y", True),
        ("boolean", "n", False),
        ("decimal", "1.50", Decimal("1.50")),
        ("decimal", "+7", 7),
        ("decimal", ".5", Decimal("0.5")),
        ("number", "<5", 5),
        ("comparator", "<=5.2", "<="),
        ("comparator", "5.2", None),
        ("integer", "-3", -3),
        ("positiveInt", "1", 1),
        ("code", "two  words", "two words"),
        ("base64Binary", "aGVs\nbG8=", "aGVsbG8="),
        ("hexadecimal", "68656c6c6f", "aGVsbG8="),
        ("plain", "hello", "aGVsbG8="),
        ("ucum", "mmol/L", "mmol/L"),
        ("ucum", "个", None),
        ("name", "张, 三", "张三"),
        ("name", "Smith, Mary", "Mary Smith"),
        ("name", "Smith, ", "Smith"),
        ("name", ", Mary", "Mary"),
    ],
)
def test_a_text_is_read(kind: str, text: str, value: Any) -> None:
    found = KINDS[kind](text, ZONE)
    assert found == value
    assert str(found) == str(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "1985030"),
        ("date", "19850230"),
        ("date", "00000000"),
        ("date", "unknown"),
        ("dateTime", "2026030124"),
        ("dateTime", "20260301083061"),
        ("dateTime", "20260301083015+9900"),
        ("instant", "20260301"),
        ("time", "2530"),
        ("boolean", "perhaps"),
        ("decimal", "5,3"),
        ("decimal", "<5"),
        ("decimal", "1e9"),
        ("decimal", "9" * 40),
        ("positiveInt", "0"),
        ("integer", "99999999999"),
        ("uri", "not a uri"),
        ("base64Binary", "a!"),
        ("hexadecimal", "xyz"),
    ],
)
def test_what_cannot_be_read_is_unusable(kind: str, text: str) -> None:
    with pytest.raises(Unusable):
        KINDS[kind](text, ZONE)


def test_an_hour_that_the_clocks_skip_has_an_offset_all_the_same() -> None:
    assert KINDS["dateTime"]("20260329023000", "Europe/Berlin") == "2026-03-29T02:30:00+01:00"


@example("20260301083015.1234567891")
@given(st.text(max_size=30) | st.from_regex(r"\d{0,16}(\.\d+)?([+-]\d{4})?", fullmatch=True))
def test_what_is_made_of_any_text_is_a_primitive_of_fhir(text: str) -> None:
    text = CONTROL.sub("", text).strip()
    for kind in KINDS.keys() & type_names():
        try:
            value = KINDS[kind](text, ZONE) if text else None
        except Unusable:
            continue
        if value is not None and (value or kind != "string"):
            assert primitive.is_right(kind, value), (kind, text, value)
