"""Code systems by rule: units, languages, media types."""

from __future__ import annotations

import pytest

from terminology.core.checked import Given
from terminology.core.findings import Refused
from tests.terminology.core.questions import all_of, codes, expand, listed, validate, value_set

CURRENCIES = "urn:iso:std:iso:4217"
UCUM, LANGUAGES, TYPES = "http://unitsofmeasure.org", "urn:ietf:bcp:47", "urn:ietf:bcp:13"


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (UCUM, "mg/dL", True),
        (UCUM, "mm[Hg]", True),
        (UCUM, "10*9/L", True),
        (UCUM, "mmHg", False),
        (UCUM, "", False),
        (LANGUAGES, "zh", True),
        (LANGUAGES, "zh-CN", True),
        (LANGUAGES, "zh-Hant-TW", True),
        (LANGUAGES, "de-CH-1996", True),
        (LANGUAGES, "x-own", True),
        (LANGUAGES, "zh_CN", False),
        (LANGUAGES, "chinese language", False),
        (LANGUAGES, "z", False),
        (TYPES, "text/plain", True),
        (TYPES, "application/fhir+json", True),
        (TYPES, "text/plain; charset=UTF-8", True),
        (TYPES, "text", False),
        (TYPES, "text/", False),
        (TYPES, "a/b;c", False),
        (CURRENCIES, "CNY", True),
        (CURRENCIES, "cny", False),
    ],
)
def test_a_code_follows_the_rule_or_not(system: str, code: str, expected: bool) -> None:
    one = Given(code, system)
    assert validate(None, one).result is expected
    assert validate(value_set(all_of(system)), one).result is expected


def test_hostile_codes_end() -> None:
    for system in (UCUM, LANGUAGES, TYPES, CURRENCIES):
        for code in ("a" * 100_000, "a-" * 120, "a/a" + ";a=a" * 60, "(" * 200, "x-" * 127):
            validate(None, Given(code, system))


def test_codes_that_a_value_set_lists_are_expanded_and_the_rest_cannot_be() -> None:
    assert codes(expand(value_set(listed("mg", "nonsense unit", system=UCUM)))) == ["mg"]
    with pytest.raises(Refused) as refused:
        expand(value_set(all_of(UCUM)))
    assert refused.value.findings[0].message == "tx-not-enumerable"


def test_value_sets_of_r4_over_them_answer() -> None:
    common = {"valueSet": ["http://hl7.org/fhir/ValueSet/ucum-common"]}
    assert validate(value_set(common), Given("mg", UCUM)).result
    types = {"valueSet": ["http://hl7.org/fhir/ValueSet/mimetypes"]}
    assert validate(value_set(types), Given("image/png", TYPES)).result
    assert not validate(value_set(types), Given("image", TYPES)).result
