"""HL7's terminology cases by their own runner, against a hub that runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.rest.running import RunningHub

LEFT_OUT = Path(__file__).parents[1] / "cases" / "terminology" / "left_out.tsv"
MOST_LEFT_OUT = 56


@pytest.mark.shared
def test_the_cases_that_fail_are_those_that_are_left_out(
    operations_hub: RunningHub, shared: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    runner = shared / "suites" / "terminology" / "run.py"
    command = [sys.executable, str(runner), f"{operations_hub.url}/fhir", "--out", str(out)]
    if operations_hub.token:
        command += ["--header", f"Authorization: Bearer {operations_hub.token}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert out.exists(), done.stdout + done.stderr
    tests = json.loads(out.read_text())["tests"]
    failed = {(one["suite"], one["test"]): one["message"] for one in tests if not one["pass"]}
    rows = [line.split("\t") for line in LEFT_OUT.read_text().splitlines() if line[:1] != "#"]
    assert failed.keys() == {(suite, case) for suite, case, _ in rows}, failed
    assert all(reason for *_, reason in rows)
    assert len(tests) >= 356
    assert len(failed) <= MOST_LEFT_OUT


def test_the_list_of_what_is_left_out_has_three_columns() -> None:
    for line in LEFT_OUT.read_text().splitlines():
        assert line.startswith("#") or line.count("\t") == 2


def test_what_the_cases_bring_is_not_stored(fhir: httpx.Client) -> None:
    simple = {"url": "http://hl7.org/fhir/test/CodeSystem/simple"}
    assert "entry" not in fhir.get("/CodeSystem", params=simple).json()
