"""Files become items: kinds of files, order, limits, damage, marks."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from hub.loading import sources
from hub.loading.item import START, Item, Mark
from hub.loading.sources import files, items
from hub.model import xml
from tests.loading.conftest import bundle, entry, observation, patient

LIMIT = 10**6


def _write(path: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def _messages(found: list[Item]) -> list[str]:
    return [one.error.issues[0].message for one in found if one.error is not None]


def _keys(found: list[Item]) -> list[str]:
    return ["/".join(key) for one in found for key in one.keys]


@pytest.fixture(params=["", ".gz"])
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def small_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bundle counts as large."""
    monkeypatch.setattr(sources, "WHOLE", 64)


def test_ndjson_gives_an_item_a_line_with_its_own_text(tmp_path: Path, suffix: str) -> None:
    lines = ['{"resourceType":"Patient","id":"1","x":1.00}', "", '  {"resourceType":"Basic"}\r']
    path = _write(tmp_path / f"a.ndjson{suffix}", "\n".join(lines))
    first, second = items(path, LIMIT)
    assert first.text == lines[0].encode()
    assert (first.place.where, second.place.where) == ("line 1", "line 3")
    assert first.place.mark == Mark(len(lines[0]) + 1, 1)
    assert list(items(path, LIMIT, first.place.mark)) == [second]


def test_a_resource_without_an_id_gets_the_same_id_every_time(tmp_path: Path) -> None:
    one = _write(tmp_path / "a.json", '{"resourceType":"Basic","code":{"text":"x"}}')
    spaced = _write(tmp_path / "b.json", '{ "resourceType" : "Basic", "code": {"text":"x"} }')
    other = _write(tmp_path / "c.json", '{"resourceType":"Basic","code":{"text":"y"}}')
    first, same, different = (next(items(path, LIMIT)) for path in (one, spaced, other))
    assert first.keys == same.keys != different.keys


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.ndjson", '{"resourceType":"Patient","id":"1"', "json-truncated"),
        ("a.ndjson", "[1]", "not-an-object"),
        ("a.ndjson", '{"id":"1"}', "load-no-type"),
        ("a.ndjson", '{"resourceType":7}', "load-no-type"),
        ("a.ndjson", '{"resourceType":"Nobody"}', "load-no-type"),
        ("a.ndjson", '{"resourceType":"Patient","id":"a/b"}', "id-malformed"),
        ("a.ndjson", '{"resourceType":"Patient","id":7}', "id-malformed"),
        ("a.ndjson", '{"resourceType":"Patient","id":"1","id":"2"}', "json-duplicate-key"),
        ("a.json", '{"resourceType":"Bundle","type":"history"}', "load-bundle-type"),
        ("a.json", '{"resourceType":"Bundle","type":["x"]}', "load-bundle-type"),
        ("a.json", '{"resourceType":"Bundle","type":"collection","entry":7}', "bundle-entry"),
        ("a.json", '{"resourceType":"Bundle","type":"batch","entry":[7]}', "bundle-entry"),
        ("a.xml", "<Patient", "xml-syntax"),
        ("a.xml", '<!DOCTYPE a><Patient xmlns="http://hl7.org/fhir"/>', "xml-doctype"),
        ("a.json", b"\xff\xfe{\x00", "json-encoding"),
    ],
)
def test_what_cannot_be_read_is_an_item_that_says_why(
    tmp_path: Path, name: str, text: str | bytes, message: str
) -> None:
    assert _messages(list(items(_write(tmp_path / name, text), LIMIT))) == [message]


def test_a_line_over_the_limit_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    long = json.dumps(patient(text={"div": "x" * 5000}))
    path = _write(tmp_path / "a.ndjson", f"{long}\n{json.dumps(patient('p2'))}\n")
    found = list(items(path, 2000))
    assert _messages(found) == ["load-item-too-large"]
    assert _keys(found) == ["Patient/p2"]


def test_a_damaged_gzip_file_gives_what_came_before_and_says_so(tmp_path: Path) -> None:
    data = "\n".join(json.dumps(patient(f"p{number}")) for number in range(20_000))
    path = tmp_path / "a.ndjson.gz"
    path.write_bytes(gzip.compress(data.encode())[:-2000])
    found = list(items(path, LIMIT))
    assert _messages(found) == ["load-gzip-broken"]
    assert len(found) > 1000
    for content in (b"no gzip", zlib.compress(b"x")):
        path.write_bytes(content)
        assert _messages(list(items(path, LIMIT))) == ["load-gzip-broken"]


def test_an_unreadable_file_says_so(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.ndjson", "{}")
    path.unlink()
    assert _messages(list(items(path, LIMIT))) == ["load-unreadable"]


def test_a_collection_is_read_by_entry_whole_or_large(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = bundle("collection", *(entry(patient(f"p{number}")) for number in range(5)))
    path = _write(tmp_path / f"a.json{suffix}", json.dumps(made))
    whole = list(items(path, LIMIT))
    monkeypatch.setattr(sources, "WHOLE", 64)
    large = list(items(path, LIMIT))
    assert _keys(whole) == _keys(large) == [f"Patient/p{number}" for number in range(5)]
    assert [one.place.where for one in large] == [f"entry[{number}]" for number in range(5)]
    assert _keys(list(items(path, LIMIT, large[2].place.mark))) == ["Patient/p3", "Patient/p4"]


def test_an_xml_collection_is_read_by_entry_whole_or_large(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = [entry(patient(f"p{number}", active=True)) for number in range(5)]
    path = _write(tmp_path / f"a.xml{suffix}", xml.serialize(bundle("collection", *listed, id="b")))
    whole = list(items(path, LIMIT))
    monkeypatch.setattr(sources, "WHOLE", 64)
    large = list(items(path, LIMIT))
    assert [one.text for one in large] == [one.text for one in whole]
    assert _keys(large) == [f"Patient/p{number}" for number in range(5)]
    assert _keys(list(items(path, LIMIT, large[2].place.mark))) == ["Patient/p3", "Patient/p4"]


@pytest.mark.usefixtures("small_whole")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'<Bundle xmlns="http://hl7.org/fhir"><type value="collection"/>', "load-xml-broken"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa">]><Bundle xmlns="http://hl7.org/fhir"/>', "xml-doctype"),
        (b'<Bundle xmlns="http://hl7.org/fhir"><type value="history"/>%b', "load-bundle-type"),
    ],
)
def test_a_large_xml_file_that_cannot_be_read_says_so(
    tmp_path: Path, text: bytes, message: str
) -> None:
    rest = b"<entry/>" * 20 + b"</Bundle>"
    path = _write(tmp_path / "a.xml", text.replace(b"%b", rest) + b" " * 64)
    assert _messages(list(items(path, LIMIT))) == [message]


@pytest.mark.usefixtures("small_whole")
def test_a_large_bundle_cut_short_gives_what_came_before(tmp_path: Path) -> None:
    made = json.dumps(bundle("collection", *(entry(patient(f"p{n}")) for n in range(5))))
    found = list(items(_write(tmp_path / "a.json", made[:-40]), LIMIT))
    assert _keys(found) == ["Patient/p0", "Patient/p1", "Patient/p2", "Patient/p3"]
    assert _messages(found) == ["load-json-broken"]


def test_a_transaction_stays_one_item_and_what_it_creates_has_fixed_ids(tmp_path: Path) -> None:
    made = bundle(
        "transaction",
        entry({"resourceType": "Patient"}, "POST") | {"fullUrl": "urn:uuid:1"},
        entry(patient("p1"), "PUT", "Patient/p1"),
        entry({"resourceType": "Basic"}, "POST", ifNoneExist="code=1"),
    )
    path = _write(tmp_path / "a.json", json.dumps(made))
    (first,), (again,) = items(path, LIMIT), items(path, LIMIT)
    assert first == again
    assert first.transaction
    created, put, conditional = first.fresh()["entry"]
    assert created["request"]["method"] == "PUT"
    assert created["request"]["url"] == f"Patient/{created['resource']['id']}"
    assert put["request"] == {"method": "PUT", "url": "Patient/p1"}
    assert conditional["request"]["method"] == "POST"
    assert ("Patient", "p1") in first.keys


def test_a_batch_keeps_what_its_requests_ask_for(tmp_path: Path) -> None:
    made = bundle(
        "batch",
        entry(patient("other"), "POST"),
        entry(patient("p1"), "PUT", "Patient/p1"),
        entry(patient("p2"), "PUT", "Patient?identifier=1"),
        {"request": {"method": "DELETE", "url": "Patient/p3"}},
        {"request": {"method": "GET", "url": "Patient/p3"}},
        entry(patient("p4"), "POST", ifNoneExist="identifier=1"),
    )
    found = list(items(_write(tmp_path / "a.json", json.dumps(made)), LIMIT))
    assert [one.transaction for one in found] == [False, False, True, True, True]
    assert "other" not in _keys(found)[0]
    assert _keys(found[1:2]) == ["Patient/p1"]


def test_documents_and_bundles_that_a_server_kept_are_resources(tmp_path: Path) -> None:
    document = bundle("document", entry(patient()), id="d")
    kept = bundle("transaction", id="k", meta={"versionId": "1"})
    lines = f"{json.dumps(document)}\n{json.dumps(kept)}\n"
    assert _keys(list(items(_write(tmp_path / "a.ndjson", lines), LIMIT))) == [
        "Bundle/d",
        "Bundle/k",
    ]


@pytest.mark.parametrize("whole", [10**6, 64])
def test_entries_of_a_collection_that_refer_by_urn_find_each_other(
    tmp_path: Path, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "WHOLE", whole)
    made = bundle(
        "collection",
        entry(observation("o1", "urn:uuid:9")) | {"fullUrl": "urn:uuid:8"},
        entry({"resourceType": "Patient"}) | {"fullUrl": "urn:uuid:9"},
    )
    first, second = items(_write(tmp_path / "a.json", json.dumps(made)), LIMIT)
    assert first.fresh()["subject"]["reference"] == _keys([second])[0]


def test_outcomes_of_a_searchset_and_empty_entries_are_passed_over(tmp_path: Path) -> None:
    outcome = {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}}
    made = bundle("searchset", outcome, {"fullUrl": "urn:uuid:1"}, entry(patient()))
    assert _keys(list(items(_write(tmp_path / "a.json", json.dumps(made)), LIMIT))) == [
        "Patient/p1"
    ]


def test_several_items_of_a_line_are_read_again_unless_all_are_dealt_with(tmp_path: Path) -> None:
    made = bundle("collection", entry(patient("p1")), entry(patient("p2")))
    path = _write(tmp_path / "a.ndjson", json.dumps(patient("p0")) + "\n" + json.dumps(made))
    zero, one, two = items(path, LIMIT)
    assert one.place.mark == zero.place.mark
    assert two.place.mark.number == 2
    assert one.place.where == "line 2 entry[0]"


def test_files_come_in_an_order_that_suits_their_references(tmp_path: Path) -> None:
    def lines(name: str, resource: dict[str, Any]) -> None:
        _write(tmp_path / name, json.dumps(resource))

    lines("a.ndjson", observation("o", "Patient/p"))
    lines("b.json", bundle("transaction", entry(patient())))
    lines("c.ndjson", {"resourceType": "Organization", "id": "1"})
    lines("d.ndjson", {"resourceType": "Provenance", "id": "1"})
    lines(".hidden.ndjson", {})
    _write(tmp_path / "e.xml", '<Organization xmlns="http://hl7.org/fhir"/>')
    _write(tmp_path / "readme.txt", "x")
    (tmp_path / ".git").mkdir()
    _write(tmp_path / ".git" / "x.json", "{}")
    assert [path.name for path in files([tmp_path])] == [
        "c.ndjson",
        "e.xml",
        "b.json",
        "a.ndjson",
        "d.ndjson",
    ]


def test_a_file_named_twice_is_read_once_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.json", "{}")
    assert files([path, tmp_path, path]) == [path]
    with pytest.raises(FileNotFoundError):
        files([tmp_path / "nothing"])
    with pytest.raises(ValueError, match=r"not \.json"):
        files([_write(tmp_path / "a.csv", "")])
    assert list(items(_write(tmp_path / "a.ndjson", ""), LIMIT, START)) == []
