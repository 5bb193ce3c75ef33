"""Loading into a record: idempotent, in any order, resumable, with reasons for what is refused."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.exporting import export_type
from hub.loading import loader as loader_module
from hub.loading.checkpoint import Checkpoint, LoadRunsError, State
from hub.loading.sources import files
from tests.loading.conftest import Desk, bundle, entry, observation, patient


def _counts(state: State) -> tuple[int, int, int, int]:
    return state.created, state.updated, state.unchanged, state.rejected


async def test_loading_again_makes_no_new_version(desk: Desk) -> None:
    desk.write(
        "a.ndjson",
        patient("p1"),
        observation("o1", "Patient/p1"),
        {"resourceType": "Basic", "code": {"text": "x"}},
    )
    desk.write(
        "b.json",
        bundle(
            "transaction",
            entry(observation("", "urn:uuid:1"), "POST") | {"fullUrl": "urn:uuid:2"},
            entry({"resourceType": "Patient"}, "POST") | {"fullUrl": "urn:uuid:1"},
            entry(observation("o2", "urn:uuid:1"), "PUT", "Observation/o2"),
            entry({"resourceType": "Patient"}, "POST", ifNoneExist="identifier=urn:x|1"),
        ),
    )
    desk.write("c.json", bundle("collection", entry(patient("p2"))))
    first = await desk.load()
    assert _counts(first) == (8, 0, 0, 0), desk.report
    history = (await desk.door.store.info(1)).versions
    second = await desk.load()
    assert second.rejected == 0
    # The conditional create finds nothing, as its own resource has no identifier.
    assert _counts(second)[0] == 1
    assert (await desk.door.store.info(1)).versions == history + 1


async def test_a_changed_resource_becomes_a_new_version(desk: Desk) -> None:
    path = desk.write("a.ndjson", patient("p1"), patient("p2"))
    await desk.load(path)
    desk.write("a.ndjson", patient("p1", active=True), patient("p2"))
    assert _counts(await desk.load(path)) == (0, 1, 1, 0)
    assert await desk.version("Patient", "p1") == 2


async def test_meta_that_a_server_gave_does_not_count_as_a_change(desk: Desk) -> None:
    path = desk.write(
        "a.ndjson",
        patient(
            "p1", meta={"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z", "source": "urn:x"}
        ),
    )
    await desk.load(path)
    assert _counts(await desk.load(path)) == (0, 0, 1, 0)
    assert (await desk.read("Patient", "p1"))["meta"]["source"] == "urn:x"


async def test_references_below_the_own_base_are_no_change_either(desk: Desk) -> None:
    path = desk.write(
        "a.ndjson", patient("p1"), observation("o1", f"{desk.context.base}/Patient/p1")
    )
    await desk.load(path)
    assert _counts(await desk.load(path)) == (0, 0, 2, 0)


async def test_the_order_of_files_and_lines_does_not_matter(desk: Desk) -> None:
    many = [observation(f"o{number}", f"Patient/p{number}") for number in range(300)]
    desk.write("a.ndjson", *many, *(patient(f"p{number}") for number in range(300)))
    state = await desk.load()
    assert _counts(state) == (600, 0, 0, 0), desk.report[:2]
    assert desk.progress.waited > 0


async def test_conditional_references_wait_for_their_target(desk: Desk) -> None:
    desk.write(
        "a.json",
        bundle("transaction", entry(observation("", "Patient?identifier=urn:x|1"), "POST")),
    )
    desk.write("b.ndjson", observation("o1", "Patient?identifier=urn:x|1"))
    desk.write("z.json", patient("p1", identifier=[{"system": "urn:x", "value": "1"}]))
    assert _counts(await desk.load()) == (3, 0, 0, 0), desk.report
    assert (await desk.read("Observation", "o1"))["subject"]["reference"] == "Patient/p1"


def _circle(first: str, second: str, **more: Any) -> list[dict[str, Any]]:
    """An Encounter and a Condition that refer to each other."""
    return [
        {
            "resourceType": "Encounter",
            "id": first,
            "status": "finished",
            "class": {"code": "AMB"},
            "diagnosis": [{"condition": {"reference": f"Condition/{second}"}}],
        },
        {
            "resourceType": "Condition",
            "id": second,
            "subject": {"reference": "Patient/p1"},
            "encounter": {"reference": f"Encounter/{first}"},
        }
        | more,
    ]


async def test_resources_that_refer_to_each_other_in_a_circle_are_stored(desk: Desk) -> None:
    pairs = [_circle(f"e{number}", f"c{number}") for number in range(80)]
    desk.write("Encounter.ndjson", *(pair[0] for pair in pairs))
    desk.write("Condition.ndjson", *(pair[1] for pair in pairs))
    desk.write(
        "Observation.ndjson",
        observation("o1", "Patient/p1", encounter={"reference": "Encounter/e7"}),
    )
    desk.write("p.json", patient("p1"))
    assert _counts(await desk.load()) == (162, 0, 0, 0), desk.report[:3]


async def test_a_circle_with_a_bad_member_is_rejected_with_its_reasons(desk: Desk) -> None:
    good, bad = _circle("e1", "c1"), _circle("e2", "c2", recordedDate="yesterday")
    desk.write("a.ndjson", good[0], bad[0])
    desk.write("b.ndjson", good[1], bad[1])
    desk.write("p.json", patient("p1"))
    assert _counts(await desk.load()) == (3, 0, 0, 2)
    reasons = {line["id"]: line["issues"] for line in desk.report}
    assert reasons["e2"][0]["id"] in ("load-circle", "reference-target-missing")
    assert reasons["c2"][0]["location"] == "Condition.recordedDate"


async def test_what_refers_to_nothing_is_rejected_with_what_refers_to_it(desk: Desk) -> None:
    desk.write(
        "a.ndjson", observation("o2", "Patient/p1", derivedFrom=[{"reference": "Observation/o1"}])
    )
    desk.write("b.ndjson", observation("o1", "Patient/nobody"), patient("p1"))
    assert _counts(await desk.load()) == (1, 0, 0, 2)
    found = {line["id"]: line["issues"][0] for line in desk.report}
    assert found["o1"] == {
        "id": "reference-target-missing",
        "severity": "error",
        "location": "Observation.subject",
        "text": found["o1"]["text"],
    }
    assert "Patient/nobody" in found["o1"]["text"]
    assert "Observation/o1" in found["o2"]["text"]


async def test_one_bad_resource_does_not_hold_up_its_neighbours(desk: Desk) -> None:
    lines = [patient(f"p{number}") for number in range(100)]
    lines[17]["gender"] = "?"
    lines[40]["birthDate"] = "1.1.1970"
    lines[41] = observation("o1", "Patient/nobody")
    path = desk.write("a.ndjson", *lines)
    assert _counts(await desk.load(path)) == (97, 0, 0, 3)
    assert [(line["where"], line["id"], line["issues"][0]["location"]) for line in desk.report] == [
        ("line 18", "p17", "Patient.gender"),
        ("line 41", "p40", "Patient.birthDate"),
        ("line 42", "o1", "Observation.subject"),
    ]
    assert desk.report[0]["file"] == str(path)


async def test_a_rejected_transaction_stores_nothing_and_names_its_entries(desk: Desk) -> None:
    desk.write(
        "a.json",
        bundle(
            "transaction",
            entry(patient("p1"), "PUT", "Patient/p1"),
            entry(patient("p2", gender="?"), "PUT", "Patient/p2"),
        ),
    )
    assert _counts(await desk.load()) == (0, 0, 0, 1)
    assert desk.report[0]["issues"][0]["location"] == "Bundle.entry[1].resource.gender"
    assert await desk.count("Patient") == 0


async def test_lines_about_one_resource_are_stored_in_their_order(desk: Desk) -> None:
    desk.write("a.ndjson", *(patient("p1", multipleBirthInteger=number) for number in range(1, 30)))
    await desk.load()
    assert (await desk.read("Patient", "p1"))["multipleBirthInteger"] == 29


async def test_deletes_and_conditional_updates_of_a_batch_are_done(desk: Desk) -> None:
    marked = patient("p1", identifier=[{"system": "urn:x", "value": "1"}])
    await desk.load(desk.write("a.ndjson", marked, patient("p2")))
    changed = {key: value for key, value in marked.items() if key != "id"} | {"active": True}
    await desk.load(
        desk.write(
            "b.json",
            bundle(
                "batch",
                {"request": {"method": "DELETE", "url": "Patient/p2"}},
                entry(changed, "PUT", "Patient?identifier=urn:x|1"),
            ),
        )
    )
    assert (await desk.read("Patient", "p1"))["active"] is True
    assert await desk.count("Patient") == 1


async def test_documents_keep_the_urns_that_their_entries_refer_by(desk: Desk) -> None:
    made = {"resourceType": "Composition", "id": "c", "status": "final", "title": "x"} | {
        "type": {"text": "x"},
        "date": "2026",
        "author": [{"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}],
    }
    document = bundle(
        "document",
        entry(made) | {"fullUrl": "urn:uuid:45271f7f-63ab-4946-970f-3daaaa0663ff"},
        entry({"resourceType": "Practitioner"})
        | {"fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},
        id="d",
        identifier={"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"},
        timestamp="2026-03-01T08:00:00+08:00",
    )
    observed = observation("o", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0")
    desk.write("a.ndjson", document, patient("p1"), observed)
    assert _counts(await desk.load()) == (3, 0, 0, 0), desk.report
    assert _counts(await desk.load()) == (0, 0, 3, 0), desk.report
    assert (await desk.read("Bundle", "d"))["entry"] == document["entry"]


async def test_hostile_bundles_are_rejected_and_nothing_breaks(desk: Desk) -> None:
    for number, one in enumerate(
        [
            bundle("transaction") | {"entry": 7},
            bundle("transaction") | {"entry": [7, None, [], "x"]},
            bundle("transaction", {"request": 7}, {"request": {"method": [], "url": {}}}),
            bundle("transaction", entry(patient(), "PUT", "../../etc")),
            bundle("transaction", {"resource": 7, "request": {"method": "POST", "url": "Patient"}}),
            bundle("batch", {"request": {"method": [], "url": "Patient"}, "resource": patient()}),
            bundle("batch", {"request": 7, "resource": patient()}),
            bundle("collection", {"resource": {"resourceType": ["x"]}, "fullUrl": "urn:x"}),
            bundle("collection", {"resource": patient(), "fullUrl": ["urn:x"]}) | {"meta": 7},
        ]
    ):
        desk.write(f"{number}.json", one)
    state = await desk.load()
    assert state.rejected >= 8
    assert await desk.count("Patient") <= 1


# --- interrupted ----------------------------------------------------------------------------


class KilledError(Exception):
    pass


async def test_an_interrupted_load_goes_on_where_it_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader_module, "SAVE_EVERY", 0)
    lines: list[dict[str, Any]] = [patient(f"p{number}") for number in range(1000)]
    lines[5]["gender"] = "?"
    lines[6] = observation("o1", "Patient/p999")
    desk.write("a.ndjson", *lines)
    desk.write(
        "z.json", bundle("collection", *(entry(patient(f"q{number}")) for number in range(9)))
    )

    real = desk.progress.read

    def stop(path: Path, size: int) -> None:
        real(path, size)
        if size > 30_000:
            raise KilledError

    desk.progress.read = stop  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        await desk.load()
    desk.progress.read = real  # type: ignore[method-assign]
    stored = await desk.count("Patient")
    assert 0 < stored < 999

    read: list[bytes] = []
    before = loader_module.items

    def spy(path: Path, *rest: Any) -> Any:
        for item in before(path, *rest):
            read.append(item.text)
            yield item

    monkeypatch.setattr(loader_module, "items", spy)
    state = await desk.load()
    assert len(read) < 1009 - stored + 100
    assert state.created + state.updated + state.unchanged >= 1007
    assert state.rejected == 1
    assert [line["where"] for line in desk.report] == ["line 6"]
    assert (await desk.read("Observation", "o1"))["id"] == "o1"
    assert not (desk.folder / "data" / "loads").exists()


async def test_a_load_whose_files_changed_starts_again(desk: Desk) -> None:
    path = desk.write("a.ndjson", patient("p1"))
    checkpoint = Checkpoint(desk.folder / "data", [path], files([path]))
    checkpoint.state.file = 1
    checkpoint.save()
    checkpoint.close()
    desk.write("a.ndjson", patient("p1"), patient("p2"))
    os.utime(path, ns=(1, 1))
    assert _counts(await desk.load(path)) == (2, 0, 0, 0)


async def test_a_damaged_checkpoint_is_no_obstacle(desk: Desk) -> None:
    path = desk.write("a.ndjson", patient("p1"))
    checkpoint = Checkpoint(desk.folder / "data", [path], files([path]))
    checkpoint.save()
    checkpoint.close()
    (state,) = (desk.folder / "data" / "loads").glob("*/state.json")
    state.write_bytes(b"{")
    assert _counts(await desk.load(path)) == (1, 0, 0, 0)


async def test_the_same_load_twice_at_once_is_refused(desk: Desk) -> None:
    path = desk.write("a.ndjson", patient("p1"))
    checkpoint = Checkpoint(desk.folder / "data", [path], files([path]))
    with pytest.raises(LoadRunsError):
        await desk.load(path)
    checkpoint.close()
    assert (await desk.load(path)).created == 1


async def test_a_store_that_does_not_answer_ends_the_load(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.storage.port import StoreUnavailable

    async def broken(commit: object) -> object:
        await asyncio.sleep(0)
        raise StoreUnavailable("disk full")

    desk.write("a.ndjson", *(patient(f"p{number}") for number in range(500)))
    monkeypatch.setattr(desk.door.store, "commit", broken)
    with pytest.raises(Unavailable):
        await desk.load()
    monkeypatch.undo()
    assert (await desk.load()).created == 500


# --- what does not fit in memory ------------------------------------------------------------


async def test_a_large_binary_comes_back_byte_by_byte_through_export_and_load(
    desk: Desk, tmp_path: Path
) -> None:
    limit = desk.door.settings.body_limit
    content = os.urandom(limit * 3 + 1)
    for id, data in (("large", content), ("middle", content[:90_001]), ("small", content[:10])):
        desk.write(
            "binary.ndjson",
            {
                "resourceType": "Binary",
                "id": id,
                "contentType": "application/pdf",
                "data": base64.b64encode(data).decode(),
            },
        )
        assert _counts(await desk.load()) == (1, 0, 0, 0), desk.report
        assert _counts(await desk.load()) == (0, 0, 1, 0)
    written = tmp_path / "Binary.ndjson"
    with written.open("wb") as stream:
        count = await export_type(desk.door, desk.context, "Binary", stream, lambda count: None)
    assert count == (3, [])
    lines = map(json.loads, written.read_bytes().splitlines())
    found = {line["id"]: line["data"] for line in lines}
    assert base64.b64decode(found["large"]) == content
    assert base64.b64decode(found["middle"]) == content[:90_001]
    assert base64.b64decode(found["small"]) == content[:10]
    assert _counts(await desk.load(written)) == (0, 0, 3, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "A" * 300_000 + "?" * 8}, "load-base64"),
        ({"language": "zh"}, "load-item-too-large"),
        ({"meta": {"tag": [{"code": "x"}]}}, "load-item-too-large"),
        ({"contentType": "no mime"}, ""),
        ({"securityContext": {"reference": "Patient/nobody"}}, "reference-target-missing"),
    ],
)
async def test_a_large_binary_that_cannot_be_stored_says_why(
    desk: Desk, change: dict[str, Any], message: str
) -> None:
    made = {"resourceType": "Binary", "id": "b", "contentType": "text/plain"} | change
    made["data"] = made.pop("data", "A" * 300_000)
    desk.write("binary.ndjson", made)
    assert _counts(await desk.load()) == (0, 0, 0, 1)
    if message:
        assert desk.report[0]["issues"][0]["id"] == message
