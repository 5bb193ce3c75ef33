"""A laboratory's local codes are translated by a ConceptMap of the record; what is not says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.hl7v2.mllp.client import connected
from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.answer import resource_of
from hub.settings import Settings
from hub.storage.port import Store
from tests.adapters.hl7v2.test_service import HOST, place

MAP = "http://example.org/ConceptMap/lab"
LOINC = "http://loinc.org"
SITE = """
sender = ["LIS|CENTRAL"]
zone = "Asia/Shanghai"
charset = "UTF-8"
[systems]
L = "http://example.org/lab-codes"
[concept_maps]
"OBX-3" = "http://example.org/ConceptMap/lab"
"""


def concept_map(target: str) -> dict[str, Any]:
    element = {"code": "GLU", "target": [{"code": target, "equivalence": "equivalent"}]}
    group = [{"target": LOINC, "element": [element]}]
    return {"resourceType": "ConceptMap", "url": MAP, "status": "active", "group": group}


def oru(control_id: str) -> bytes:
    return (
        f"MSH|^~\\&|LIS|CENTRAL|HUB|CLINIC|20260301080000||ORU^R01^ORU_R01|{control_id}|P|2.5|||||"
        "CHN|UNICODE UTF-8\rPID|1||P1^^^HIS^PI||张^三||19900307|F\r"
        f"OBR|1||R{control_id}^LIS|CHEM^生化^L|||20260301070000||||||||||||||||||F\r"
        "OBX|1|NM|GLU^葡萄糖^L||5.6|mmol/L^^UCUM|3.9-6.1|N|||F\r"
        "OBX|2|NM|ODD^少见项目^L||1|mmol/L^^UCUM||N|||F\r"
    ).encode()


async def codings(door: Interactions) -> dict[str, list[list[tuple[str, str]]]]:
    """Codings of the results by their text's local code, oldest first."""
    page = await door.search(Context(), "Observation", [("_sort", "_lastUpdated")])
    found: dict[str, list[list[tuple[str, str]]]] = {}
    for entry in page.entries:
        assert entry.stored is not None
        coding = resource_of(entry.stored)["code"]["coding"]
        local = coding[-1]["code"]
        codes = [(one.get("system", "").rpartition("/")[2], one["code"]) for one in coding]
        found.setdefault(local, []).append(codes)
    return found


async def test_local_codes_of_results_are_translated(store: Store, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", mllp=2575, shutdown_grace=5)
    sites = tmp_path / "data" / "sites"
    sites.mkdir(parents=True)
    (sites / "lab.toml").write_text(SITE, encoding="utf-8")
    async with place(store, settings) as here, connected(HOST, here.port) as client:
        made = await here.door.create(Context(), "ConceptMap", concept_map("2345-7"))
        assert made.stored is not None
        assert b"MSA|AA|" in await client.exchange(oru("1"), 20)
        changed = concept_map("15074-8") | {"id": made.stored.id}
        await here.door.update(Context(), "ConceptMap", made.stored.id, changed)
        assert b"MSA|AA|" in await client.exchange(oru("2"), 20)
        found = await codings(here.door)
    assert [one[0] for one in found["GLU"]] == [("loinc.org", "2345-7"), ("loinc.org", "15074-8")]
    assert [[code for _, code in one] for one in found["ODD"]] == [["ODD"], ["ODD"]]
    arrival = await store.messages.arrival(1, 1)
    assert arrival is not None
    assert "hl7v2-code-untranslated" in arrival.arrival.reason
