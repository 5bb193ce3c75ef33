"""Which references includes follow."""

from __future__ import annotations

from dataclasses import replace

from hub.search import registry
from hub.search.explain import describe_query
from hub.search.include import forward, include_query, reverse, revinclude_query, targets
from hub.search.query import Match, Not, TokenValue
from hub.search.rewrite import RewriteContext
from tests.search.reading import BASE, read

CORE = registry.core()
PLAIN = RewriteContext(CORE)
HIDDEN = Not(Match(CORE.of("Patient")["_security"], (TokenValue(None, "v"),)))
SCOPED = replace(PLAIN, scoped=lambda type: HIDDEN if type == "Patient" else None)


def followed(url: str, type: str, *, included: bool = False) -> list[str]:
    includes = read(url).includes
    return [
        f"{one.source}.{one.parameter.code}{':' if one.target else ''}{one.target}"
        for find in (forward, reverse)
        for one in find(CORE, includes, type, included=included)
    ]


def test_an_include_follows_one_parameter_of_its_type() -> None:
    url = "Observation?_include=Observation:subject"
    assert followed(url, "Observation") == ["Observation.subject"]
    assert followed(url, "Patient") == []
    assert followed(url, "Observation", included=True) == []


def test_an_iterating_include_also_follows_from_what_was_included() -> None:
    url = "Observation?_include=Observation:subject&_include:iterate=Patient:organization"
    assert followed(url, "Patient", included=True) == ["Patient.organization"]
    assert followed(url, "Observation", included=True) == []


def test_a_star_follows_every_reference_parameter() -> None:
    for url in ("Encounter?_include=*", "Encounter?_include=Encounter:*"):
        found = followed(url, "Encounter")
        assert "Encounter.patient" in found
        assert "Encounter.location" in found
        assert "Encounter.status" not in found


def test_a_revinclude_follows_references_to_a_type() -> None:
    url = "Patient?_revinclude=Observation:subject&_revinclude=Encounter:location"
    assert followed(url, "Patient") == ["Observation.subject:Patient"]


def test_a_revinclude_with_a_star_follows_all_that_may_point_here() -> None:
    found = followed("Patient?_revinclude=Provenance:*", "Patient")
    assert "Provenance.target:Patient" in found
    assert "Provenance.location:Patient" not in found
    assert "Provenance.target:Patient" in followed("Patient?_revinclude=*", "Patient")


def test_a_target_type_chooses_among_references() -> None:
    resource = {
        "resourceType": "Observation",
        "performer": [{"reference": "Practitioner/1"}, {"reference": "Organization/2"}],
    }
    (follow,) = forward(
        CORE,
        read("Observation?_include=Observation:performer:Organization").includes,
        "Observation",
    )
    found = [(row.type, row.id) for row in targets(CORE, follow, resource, base=BASE)]
    assert found == [("Organization", "2")]


def test_a_revinclude_is_a_search_for_references() -> None:
    (follow,) = reverse(CORE, read("Patient?_revinclude=Observation:patient").includes, "Patient")
    query = revinclude_query(follow, ["1", "2"], PLAIN, count=50)
    assert describe_query(query) == "Observation: patient(Patient/1, Patient/2) count 50"


def test_a_scope_limits_what_is_included() -> None:
    query = include_query("Patient", ["1"], SCOPED, count=9)
    assert query is not None
    assert describe_query(query) == "Patient: And(Ids(1), Not(_security(v))) count 9"
    assert include_query("Location", ["1"], SCOPED, count=9) is None
    assert include_query("Patient", ["1"], PLAIN, count=9) is None
    (follow,) = reverse(CORE, read("Group?_revinclude=Patient:link").includes, "Patient")
    limited = revinclude_query(follow, ["1"], SCOPED, count=9)
    assert describe_query(limited) == "Patient: And(link(Patient/1), Not(_security(v))) count 9"
