"""A second publication of R4 says the same: Maven's hapi-fhir-validation-resources-r4.

`HUB_HAPI_R4` names the jar, else the newest in the local Maven repository is taken:

    mvn dependency:get -Dtransitive=false \
        -Dartifact=ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4:7.4.0
"""

from __future__ import annotations

import os
import tomllib
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from hub.definitions import build, search_parameters, type_definition, type_names
from hub.definitions.derive.structures import derive_types
from hub.model import json, xml
from tests.property.resources import resources

IN_REPOSITORY = "ca/uhn/hapi/fhir/hapi-fhir-validation-resources-r4/*/*.jar"
MODEL = "org/hl7/fhir/r4/model"
# Codes that the generator does not know, and patterns that only the schema has.
NOT_STRUCTURE = ("facet 'enumeration'", "facet 'pattern'", "atomic type")


@pytest.fixture(scope="module")
def jar():
    found = sorted((Path.home() / ".m2/repository").glob(IN_REPOSITORY))
    named = os.environ.get("HUB_HAPI_R4")
    path = Path(named) if named else next(reversed(found), None)
    if path is None:
        pytest.skip("hapi-fhir-validation-resources-r4 is not in the local Maven repository")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.mark.slow
def test_types_are_the_same(jar):
    corrections = tomllib.loads((build.HERE / "corrections.toml").read_text("utf-8"))
    artifacts = []
    for name in ("types", "resources"):
        data = jar.read(f"{MODEL}/profile/profiles-{name}.xml")
        bundle = xml.parse(data)
        assert xml.parse(xml.serialize(bundle)) == bundle
        artifacts += [entry["resource"] for entry in bundle["entry"]]
    published = {row.name: row for row in derive_types(artifacts, corrections)}
    assert published.keys() == type_names()
    for name, row in published.items():
        assert row == type_definition(name)


def test_search_parameters_are_the_same(jar):
    bundle = json.load(jar.read(f"{MODEL}/sp/search-parameters.json"))
    corrections = tomllib.loads((build.HERE / "corrections.toml").read_text("utf-8"))
    corrected = {row["url"] for row in corrections["search_parameter"]}
    own = {row.url: row for row in search_parameters()}
    for entry in bundle["entry"]:
        published = entry["resource"]
        row = own[published["url"]]
        assert row.code == published["code"]
        assert row.type == published["type"]
        assert set(row.base) == set(published.get("base", ()))
        if row.url not in corrected:
            assert row.expression == published.get("expression", "")


@pytest.mark.slow
def test_what_is_written_as_xml_is_valid_by_the_official_schema(jar, tmp_path_factory):
    folder = tmp_path_factory.mktemp("schema")
    for name in ("fhir-single", "fhir-xhtml", "xml", "xmldsig-core-schema"):
        (folder / f"{name}.xsd").write_bytes(jar.read(f"{MODEL}/schema/{name}.xsd"))
    schema = etree.XMLSchema(etree.parse(folder / "fhir-single.xsd"))

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(resources())
    def check(resource):
        schema.validate(etree.fromstring(xml.serialize(resource)))
        wrong = [str(row.message) for row in schema.error_log]
        assert not [text for text in wrong if not any(part in text for part in NOT_STRUCTURE)]

    check()
