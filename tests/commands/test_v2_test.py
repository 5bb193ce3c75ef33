"""`fhir-hub v2 test` shows what the maps make of a message, without a store."""

from __future__ import annotations

import json
from pathlib import Path

from tests.commands.conftest import Run

MESSAGE = (
    "MSH|^~\\&|HIS|CENTRAL|HUB||20260301083000||ADT^A08|C1|P|2.5.1|||||||UNICODE UTF-8\r"
    'PID|1||7^^^HIS^MR||欧阳^建国||1985|1||||||||""\r'
    "ZPD|1|汉族\r"
)
SITE = """
sender = ["HIS|CENTRAL"]
[systems]
HIS = "urn:oid:1.2.3"
[tables.sex]
"1" = "male"
[segments.ZPD.Patient]
extension = [{ url = "=http://central.example/ethnic-group", valueString = "ZPD-2" }]
"""


def hospital(folder: Path, site: str = SITE) -> Path:
    """A site file and a message; gives the message's."""
    sites = folder / "data" / "sites"
    sites.mkdir(parents=True)
    (sites / "central.toml").write_text(site, "utf-8")
    file = folder / "admission.hl7"
    file.write_bytes(MESSAGE.encode())
    return file


def lines(text: str) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in text.splitlines()]


def test_every_element_stands_with_its_segment_and_field(run: Run, tmp_path: Path) -> None:
    done = run("v2", "test", "central", hospital(tmp_path))
    assert done.code == 0
    found = lines(done.out)
    assert ["identifier[0].system", "PID-3.4", "urn:oid:1.2.3"] in found
    assert ["name[0].given[0]", "PID-5.2", "建国"] in found
    assert ["gender", "PID-8", "male"] in found
    assert ["birthDate", "PID-7", "1985"] in found
    assert ["extension[0].url", "=", "http://central.example/ethnic-group"] in found
    assert ["extension[0].valueString", "ZPD-2", "汉族"] in found
    assert ["maritalStatus", "PID-16", "emptied"] in found
    assert "unmapped" not in done.out
    assert not (tmp_path / "data" / "hub.sqlite").exists()


def test_without_the_site_the_remarks_tell_what_is_open(run: Run, tmp_path: Path) -> None:
    done = run("v2", "test", "default", hospital(tmp_path))
    assert done.code == 0
    found = lines(done.out)
    assert ["identifier[0].system", "PID-3.4", "urn:id:CENTRAL:HIS"] in found
    assert [words[0] for words in found if words and words[0].endswith(":")] == ["PID-8:", "ZPD:"]


def test_a_program_gets_the_resources_and_their_sources(run: Run, tmp_path: Path) -> None:
    done = run("v2", "test", "central", hospital(tmp_path), "--json")
    (patient,) = json.loads(done.out)["resources"]
    assert patient["resource"]["name"] == [{"family": "欧阳", "given": ["建国"]}]
    assert patient["sources"]["name[0].family"] == "PID-5.1.1"
    assert patient["deleted"] == ["maritalStatus"]


def test_a_message_that_is_refused_names_the_field(run: Run, tmp_path: Path) -> None:
    file = hospital(tmp_path)
    file.write_bytes(MESSAGE.replace("7^^^HIS^MR", "").encode())
    done = run("v2", "test", "central", file)
    assert done.code == 1
    assert done.err.startswith("PID-3: ")


def test_a_map_that_is_wrong_names_file_and_element(run: Run, tmp_path: Path) -> None:
    file = hospital(tmp_path, SITE.replace("valueString", "valueText"))
    done = run("v2", "test", "central", file)
    assert done.code == 1
    assert "central.toml: segments.ZPD.Patient extension.valueText" in done.err
    assert "Extension has no element valueText" in done.err


def test_a_site_that_is_not_there_is_said_with_those_that_are(run: Run, tmp_path: Path) -> None:
    done = run("v2", "test", "centrl", hospital(tmp_path))
    assert done.code == 2
    assert "central" in done.err


def test_a_file_without_a_message_is_said(run: Run, tmp_path: Path) -> None:
    hospital(tmp_path)
    (tmp_path / "empty.hl7").write_text("hello\n")
    done = run("v2", "test", "central", tmp_path / "empty.hl7")
    assert done.code == 1
    assert "begins with MSH" in done.err
