"""A code system that is loaded beside a running hub: answered at once, and never half."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx

from tests.rest.running import running
from tests.terminology import icd10_cn

URL = "http://example.org/fhir/CodeSystem/icd-10-cn"


def load(folder: Path, count: int, version: str = "2.0", seed: int = 10) -> None:
    """Load so many codes by the command."""
    table = folder / "icd10.csv"
    table.write_bytes(icd10_cn.table(count, "gb18030", seed))
    command = ["terminology", "load", "csv", str(table), "--url", URL, "--version", version]
    subprocess.run(
        [sys.executable, "-m", "hub", *command, "--data", str(folder / "data")],
        check=True,
        capture_output=True,
    )


def total(client: httpx.Client) -> int:
    """Codes of the newest version, as an expansion counts them."""
    answer = client.get("/ValueSet/$expand", params={"url": f"{URL}?fhir_vs", "count": 1})
    return int(answer.json()["expansion"]["total"]) if answer.status_code == 200 else 0


def test_a_running_hub_answers_with_what_a_command_loads(tmp_path: Path) -> None:
    with running(tmp_path) as hub:
        client = hub.client
        assert total(client) == 0
        load(tmp_path, 1_000)
        assert total(client) == 1_000
        seen: set[int] = set()
        stop = threading.Event()

        def watch() -> None:
            with httpx.Client(base_url=client.base_url, headers=client.headers, timeout=30) as own:
                while not stop.is_set():
                    seen.add(total(own))

        watcher = threading.Thread(target=watch)
        watcher.start()
        load(tmp_path, 35_000)
        stop.set()
        watcher.join()
        assert seen <= {1_000, 35_000}
        assert total(client) == 35_000
        check_answers(client)

        load(tmp_path, 1_000, "2.1", seed=11)
        assert total(client) == 1_000
        older = client.get(
            "/CodeSystem/$lookup", params={"system": URL, "version": "2.0", "code": "Z99"}
        )
        assert older.status_code in (200, 404)
        found = client.get("/CodeSystem", params={"url": URL}).json()["entry"]
        assert {one["resource"]["version"] for one in found} == {"2.0", "2.1"}
        assert all("concept" not in one["resource"] for one in found)
        assert hub.unexpected_errors() == 0


def check_answers(client: httpx.Client) -> None:
    """Lookup, filter, hierarchy and search by what codes mean."""
    code, _, name, english, _ = next(row for row in icd10_cn.rows() if "x001" in row[0])
    looked = client.get("/CodeSystem/$lookup", params={"system": URL, "code": code}).json()
    said: dict[str, Any] = {
        one["name"]: one.get("valueString") for one in looked["parameter"] if "valueString" in one
    }
    assert said["display"] == name
    assert english in str(looked)
    params = {"url": f"{URL}?fhir_vs", "filter": name, "count": 5}
    expansion = client.get("/ValueSet/$expand", params=params).json()["expansion"]
    assert code in {one["code"] for one in expansion["contains"]}
    condition = {
        "resourceType": "Condition",
        "subject": {"display": "somebody"},
        "code": {"coding": [{"system": URL, "code": code}]},
    }
    made = client.post("/Condition", json=condition).json()
    for asked in ({"code:below": f"{URL}|{code[:3]}"}, {"code:in": f"{URL}?fhir_vs"}):
        entries = client.get("/Condition", params=asked).json()["entry"]
        assert [one["resource"]["id"] for one in entries] == [made["id"]]
