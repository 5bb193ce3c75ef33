"""Hostile expressions on big resources: an answer or a clear error, soon."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from hub.fhirpath import FHIRPathError, compile
from hub.fhirpath.evaluate import evaluate_items

TWENTY = "(" + "|".join(str(number) for number in range(20)) + ")"
SECONDS = 15


def _chain(step: str) -> str:
    """sixty variables, each made of the one before twice."""
    text = "defineVariable('v0', 'x' | 'y')" if "combine" in step else "defineVariable('v0', 'xy')"
    for number in range(60):
        text += f".defineVariable('v{number + 1}', {step.replace('V', f'%v{number}')})"
    return text


@pytest.fixture(scope="module")
def crowd() -> dict[str, Any]:
    names = [{"family": f"f{number}", "given": [f"g{number}"]} for number in range(20_000)]
    return {"resourceType": "Patient", "name": names}


@pytest.mark.parametrize(
    "text",
    [
        "name.where(family in %resource.name.given).count()",
        "name.select(%resource.name).count()",
        "descendants().select(%resource.descendants()).count()",
        "descendants().defineVariable('a').select($this in %a).count()",
        "descendants().distinct().count()",
        "name.family ~ name.family.sort($this desc)",
        "name.family.sort(-$this).count()",
        "name.repeat($this | %resource.name).count()",
        "name.select(given).aggregate($total | $this, {}).count()",
        "name.exists(%resource.name.all(family != 'x') and false)",
        f"{TWENTY}.select({TWENTY}.select({TWENTY}.select({TWENTY}.select({TWENTY}.select(1)))))",
        f"{TWENTY}.all({TWENTY}.all({TWENTY}.all({TWENTY}.all({TWENTY}.all({TWENTY}.all(true))))))",
        _chain("V.combine(V)"),
        _chain("V & V"),
        "extension" + ".value.as(Extension).extension" * 40,
        "exists(" * 45 + "1" + ")" * 45,
        "name.select(" + "|".join(["given"] * 6_000) + ").count()",
        "name.family.join(',').matches('(f|[0-9]|,|f0)*x')",
        "name.family.join(',').matches('(.*f){25}x')",
        "name.family.join(',').replaceMatches('(.*)(.*)(.*)x', '')",
        "2.power(2147483647) | 1.0000001.power(2147483647.5) | 999999999.exp()",
        "@2000-01-01 + 2147483647 years | @0001 - 9999999999999999999999999999 seconds",
        "1 'm'" + " * 1 'm'" * 100,
        "'&'" + ".escape('html')" * 100,
        "'a'" + ".replace('a', 'aaaaaaaaaa')" * 60,
    ],
)
@pytest.mark.slow
def test_a_hostile_expression_ends_soon(text: str, crowd: dict[str, Any]) -> None:
    def guarded() -> None:
        evaluate_items(crowd, text)

    def fast() -> None:
        compile(text, root_type="Patient", keep=False).evaluate(crowd)

    for run in (guarded, fast):
        started = process_time()
        try:
            run()
        except FHIRPathError as problem:
            assert problem.status == 400  # noqa: PT017 - no error is as good
        assert process_time() - started < SECONDS


def test_a_deep_resource_is_no_stack_overflow() -> None:
    resource: dict[str, Any] = {"resourceType": "Questionnaire"}
    item = resource
    for number in range(3_000):
        item["item"] = [{"linkId": str(number)}]
        item = item["item"][0]
    for text in ("descendants().count()", "repeat(item).count()", "item ~ item", "item = item"):
        try:
            evaluate_items(resource, text)
        except FHIRPathError as problem:
            assert problem.status == 400  # noqa: PT017 - no error is as good
