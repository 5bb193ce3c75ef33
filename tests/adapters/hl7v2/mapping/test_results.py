"""Results as laboratories really write them."""

from __future__ import annotations

import pytest

from tests.adapters.hl7v2.mapping.trial import PID, resource, said

ORDER = "OBR|1|YZ8801|BG9901|XCG^血常规^LOCAL"


@pytest.mark.parametrize(
    ("written", "unit", "code"),
    [
        ("10^9/L", "10^9/L", "10*9/L"),
        ("x10^12/L", "x10^12/L", "10*12/L"),
        ("10\\S\\9/L", "10^9/L", "10*9/L"),
        ("10E9/L", "10E9/L", "10*9/L"),
        ("10*9/L", "10*9/L", "10*9/L"),
        ("mmol/L^mmol/L", "mmol/L", "mmol/L"),
        ("10^个/视野", "个/视野", None),
        ("10^power^LOCAL", "power", "10"),
    ],
)
def test_a_power_of_ten_whose_sign_is_not_escaped_is_one_unit(
    written: str, unit: str, code: str | None
) -> None:
    result = f"OBX|1|NM|WBC^白细胞^LOCAL||12.8|{written}|3.5-9.5||||F"
    made = resource(said(PID, ORDER, result, kind="ORU^R01"), "Observation[1]")
    for quantity in (made["valueQuantity"], made["referenceRange"][0]["high"]):
        assert (quantity.get("unit"), quantity.get("code")) == (unit, code)
        assert "system" in quantity if code else "system" not in quantity


def test_a_result_is_found_by_the_number_of_an_order_that_names_no_system() -> None:
    result = "OBX|1|NM|WBC^白细胞^LOCAL||12.8|g/L|||||F"
    made = resource(said(PID, ORDER, result, kind="ORU^R01"), "Observation[1]")
    assert made["identifier"] == [{"system": "urn:id:CENTRAL:HIS", "value": "BG9901/WBC"}]
