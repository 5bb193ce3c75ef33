"""Every case of tests/cases/validation gives exactly the issues it names."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.messages import catalogue
from hub.validation.scope import Scope
from hub.validation.validator import Validator

CASES = Path(__file__).parent.parent / "cases" / "validation"
VALIDATOR = Validator()


def cases() -> list[Any]:
    found = []
    for path in sorted(CASES.glob("*.json")):
        for row in json.loads(path.read_text(), parse_float=Decimal):
            found.append(pytest.param(row, id=f"{path.stem}: {row['case']}"))
    return found


@pytest.mark.parametrize("row", cases())
def test_a_case_gives_exactly_its_issues(row: dict[str, Any]) -> None:
    issues = VALIDATOR.validate(row["resource"])
    found = sorted((issue.location, issue.message) for issue in issues)
    assert found == sorted((location, message) for location, message in row["issues"])


@pytest.mark.parametrize("row", cases())
def test_the_fast_pass_agrees(row: dict[str, Any]) -> None:
    resource = row["resource"]
    errors = [one for one in VALIDATOR.validate(resource) if one.severity == "error"]
    assert VALIDATOR.fast.passes(resource, Scope(resource)) == (not errors and not row.get("doubt"))


@pytest.mark.parametrize("row", cases())
def test_every_issue_can_be_put_in_words(row: dict[str, Any]) -> None:
    for issue in VALIDATOR.validate(row["resource"]):
        for text in catalogue()[issue.message]:
            assert "{" not in text.format_map(issue.arguments)
