"""The core package's own conformance resources are valid, but for a list of exceptions."""

import tomllib
from pathlib import Path

import pytest

from hub.definitions import conformance, conformance_urls, resource_types
from hub.validation.scope import Scope
from hub.validation.validator import Validator

VALIDATOR = Validator()
EXCEPTIONS = {
    url: sorted(map(tuple, row["issues"]))
    for row in tomllib.loads(
        (Path(__file__).parent.parent / "cases/validation/package_exceptions.toml").read_text()
    )["exception"]
    for url in row["urls"]
}
# Valid, but with a `_x` beside an array, which the fast pass leaves to the other.
ARRAY_SIBLINGS = {"http://hl7.org/fhir/StructureDefinition/example-composition"}
TYPES = [name for name in resource_types() if conformance_urls(name)]


@pytest.mark.parametrize("name", TYPES)
def test_published_resources_are_valid(name: str) -> None:
    for url in conformance_urls(name):
        resource = conformance(url)
        if resource is None:
            continue
        errors = [one for one in VALIDATOR.validate(resource) if one.severity == "error"]
        found = sorted((one.location, one.message) for one in errors)
        assert found == EXCEPTIONS.get(url, []), url
        doubted = found or url in ARRAY_SIBLINGS
        assert VALIDATOR.fast.passes(resource, Scope(resource)) == (not doubted), url


def test_every_exception_is_in_the_package() -> None:
    assert all(conformance(url) for url in EXCEPTIONS)
