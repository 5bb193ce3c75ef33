"""Patches and bundles of any shape: refused with words or done whole, never a crash."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions, Preference, RegistryHolder, fhirpath_patch, json_patch
from hub.interactions.answer import resource_of
from hub.messages import render
from hub.model import json
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from hub.validation.validator import Validator

VALIDATOR = Validator()
KEYS = st.sampled_from(["a", "b", "0", "1", "-", "", "name", "given", "~", "/"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.decimals(-3, 3, places=2), st.text(max_size=3)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)
POINTERS = st.lists(KEYS, max_size=4).map(
    lambda keys: "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
)
OPERATIONS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": POINTERS,
        "from": POINTERS,
        "value": JSON,
    }
)


def words(error: HubError) -> None:
    assert 400 <= error.status < 500
    for issue in error.issues:
        assert render(issue.message, issue.arguments, "en")
        assert render(issue.message, issue.arguments, "zh")


@given(st.dictionaries(KEYS, JSON, max_size=4), st.lists(OPERATIONS, max_size=12))
def test_any_json_patch_is_applied_or_refused(document: Any, operations: list[Any]) -> None:
    patch = json_patch.from_list(operations)
    before = json.encode(document)
    try:
        patched = json_patch.apply(patch, deepcopy(document))
    except HubError as error:
        words(error)
    else:
        assert json_patch.apply(patch, deepcopy(document)) == patched
        json.encode(patched)
    assert json.encode(document) == before


@given(JSON)
def test_what_is_no_json_patch_is_refused(document: Any) -> None:
    try:
        json_patch.from_list(document)
    except HubError as error:
        words(error)


PATIENT = {
    "resourceType": "Patient",
    "id": "a",
    "active": True,
    "name": [{"family": "x", "given": ["a", "b"], "_given": [None, {"id": "i"}]}, {"text": "y"}],
    "contact": [{"gender": "male"}],
    "deceasedBoolean": False,
}
PATHS = st.sampled_from(
    [
        "Patient",
        "Patient.name",
        "Patient.name[0]",
        "Patient.name[0].given",
        "Patient.name.given[1]",
        "Patient.contact",
        "Patient.contact[0].gender",
        "Patient.deceased",
        "Patient.active",
        "Patient.telecom",
        "Patient.name.where(family='x')",
        "Patient.descendants()",
        "Patient.name.count()",
        "%resource",
        "x(",
        "",
    ]
)
NAMES = st.sampled_from(
    ["name", "given", "gender", "deceased", "deceasedBoolean", "extension", "x"]
)
VALUES = st.sampled_from(
    [
        {"valueString": "s"},
        {"valueCode": "female"},
        {"valueBoolean": True},
        {"valueHumanName": {"text": "z"}},
        {"_valueString": {"id": "q"}},
        {"part": [{"name": "gender", "valueCode": "male"}]},
        {"part": [{"name": "x", "part": []}]},
        {"resource": {"resourceType": "Patient"}},
        {},
    ]
)


@st.composite
def path_operations(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["add", "insert", "delete", "replace", "move"]))
    parts = [
        {"name": "type", "valueCode": kind},
        {"name": "path", "valueString": draw(PATHS)},
        {"name": "name", "valueString": draw(NAMES)},
        {"name": "value", **draw(VALUES)},
    ]
    parts += [
        {"name": name, "valueInteger": draw(st.integers(-1, 3))}
        for name in ("index", "source", "destination")
    ]
    return {"name": "operation", "part": parts}


@settings(deadline=None)
@given(st.lists(path_operations(), max_size=5))
def test_any_fhirpath_patch_is_applied_or_refused(operations: list[Any]) -> None:
    resource = deepcopy(PATIENT)
    try:
        patch = fhirpath_patch.parse({"resourceType": "Parameters", "parameter": operations})
        patched = fhirpath_patch.apply(patch, resource)
    except HubError as error:
        words(error)
        return
    assert patched["resourceType"] == "Patient"
    for node in _objects(patched):
        for key, value in node.items():
            assert value not in ([], {}, None), key
            if isinstance(value, list) and f"_{key}" in node:
                assert len(value) == len(node[f"_{key}"])


def _objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [inner for item in node for inner in _objects(item)]
    if isinstance(node, dict):
        return [node, *(inner for item in node.values() for inner in _objects(item))]
    return []


# --- bundles ---------------------------------------------------------------------------------


def door() -> Interactions:
    store = MemoryStore()
    return Interactions(store, VALIDATOR, RegistryHolder(store), Settings(bundle_entries=50))


URLS = [f"urn:uuid:00000000-0000-4000-8000-00000000000{n}" for n in range(8)]
REFERENCES = st.sampled_from(
    [*URLS, "Patient/a", "Patient?identifier=x", "Patient?", "#c", "http://e/Patient/1", ""]
)
RESOURCES = st.one_of(
    st.just({"resourceType": "Patient", "id": "a"}),
    st.builds(
        lambda reference: {
            "resourceType": "Basic",
            "code": {"text": "x"},
            "subject": {"reference": reference},
        },
        REFERENCES,
    ),
    st.just({"resourceType": "Nothing"}),
    st.just({"resourceType": "Parameters", "parameter": [{"name": "operation"}]}),
    st.just(
        {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "W10="}
    ),
    st.dictionaries(st.sampled_from(["resourceType", "id", "meta", "contained"]), JSON, max_size=3),
)
REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "X"]),
        "url": st.sampled_from(
            [
                "Patient",
                "Patient/a",
                "Basic",
                "Basic/b",
                "Patient?identifier=x",
                "Patient?_id=a",
                "Patient/a/_history",
                "Patient/a/$x",
                "metadata",
                "?",
                "",
                "/",
                "Patient/%",
                "Nothing/1",
            ]
        ),
    },
    optional={
        "ifMatch": st.sampled_from(['W/"1"', "*", "x"]),
        "ifNoneMatch": st.sampled_from(["*", 'W/"1"', "x"]),
        "ifNoneExist": st.sampled_from(["identifier=x", "", "x=y"]),
    },
)
ENTRIES = st.one_of(
    st.fixed_dictionaries(
        {"request": REQUESTS},
        optional={"fullUrl": st.sampled_from(URLS), "resource": RESOURCES},
    ),
    st.fixed_dictionaries({"fullUrl": st.sampled_from(URLS), "resource": RESOURCES}),
    JSON,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["batch", "transaction"]), st.lists(ENTRIES, max_size=6))
def test_any_bundle_is_done_whole_or_refused(type: str, entries: list[Any]) -> None:
    async def run() -> None:
        record = door()
        made = {"resourceType": "Bundle", "type": type, "entry": deepcopy(entries)}
        try:
            answer = await record.bundle(Context(), made)
        except HubError as error:
            words(error)
            assert (await record.store.info(1)).versions == 0
            return
        assert len(answer.entries) == len(entries)
        assert json.decode(answer.to_json())["type"] == f"{type}-response"
        for entry in answer.entries:
            assert entry.response is not None
            assert entry.response.status[0] in "234"

    asyncio.run(run())


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 7), max_size=4), min_size=1, max_size=8))
def test_links_between_entries_lead_to_their_entries(graph: list[list[int]]) -> None:
    """Any graph of references, circles included, comes out as the same graph."""

    def entry(number: int, targets: list[int]) -> dict[str, Any]:
        extension = [
            {"url": "http://e", "valueReference": {"reference": URLS[target % len(graph)]}}
            for target in targets
        ]
        resource: dict[str, Any] = {"resourceType": "Patient"}
        if extension:
            resource["extension"] = extension
        request = {"method": "POST", "url": "Patient"}
        return {"fullUrl": URLS[number], "resource": resource, "request": request}

    async def run() -> None:
        entries = [entry(number, targets) for number, targets in enumerate(graph)]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = await door().bundle(Context(), bundle, prefer=Preference("representation"))
        made = [resource_of(one.stored) for one in answer.entries if one.stored]
        ids = [f"Patient/{one['id']}" for one in made]
        for one, targets in zip(made, graph, strict=True):
            assert [part["valueReference"]["reference"] for part in one.get("extension", [])] == [
                ids[target % len(graph)] for target in targets
            ]

    asyncio.run(run())
