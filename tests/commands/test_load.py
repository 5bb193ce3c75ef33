"""`load`, `export` and `demo` as processes: exit codes, kill -9, beside a running hub, memory."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import Run, start
from tests.rest.running import running


def _lines(folder: Path) -> list[dict[str, Any]]:
    """All resources of a plain export."""
    return [
        json.loads(line) for file in folder.iterdir() for line in file.read_bytes().splitlines()
    ]


def _content(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What an export says, without what the store assigns."""
    found = {}
    for file in folder.iterdir():
        data = file.read_bytes()
        for line in (gzip.decompress(data) if file.suffix == ".gz" else data).splitlines():
            resource = json.loads(line, parse_float=str)
            del resource["meta"]["versionId"], resource["meta"]["lastUpdated"]
            found[resource["resourceType"], resource["id"]] = resource
    return found


@pytest.mark.slow
def test_what_is_exported_loads_into_a_fresh_store_with_identical_content(
    run: Run, tmp_path: Path, demo_set: Path
) -> None:
    loaded = run("load", demo_set)
    count = len(demo_set.read_bytes().splitlines())
    assert (loaded.code, loaded.out) == (
        0,
        f"{count} created, 0 updated, 0 unchanged, 0 rejected\n",
    )
    assert run("export", "one").code == 0
    assert run("export", "two", "--gzip").code == 0
    assert run("load", "two", "--data", "fresh").out.startswith(f"{count} created")
    assert run("export", "three", "--data", "fresh").code == 0
    assert _content(tmp_path / "one") == _content(tmp_path / "two") == _content(tmp_path / "three")
    assert len(_content(tmp_path / "one")) == count
    again = run("load", "one")
    assert again.out == f"0 created, 0 updated, {count} unchanged, 0 rejected\n"
    assert run("check", "--data", "fresh").code == 0


def test_only_some_types_are_exported(run: Run, tmp_path: Path, demo_set: Path) -> None:
    run("load", demo_set)
    done = run("export", "some", "--type", "Patient", "-t", "CareTeam")
    assert {file.name for file in (tmp_path / "some").iterdir()} == {
        "Patient.ndjson",
        "CareTeam.ndjson",
    }
    assert "40 Patient" in done.out


def test_what_is_rejected_is_in_the_report_and_the_exit_code(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(
        '{"resourceType":"Patient","id":"good"}\n{"resourceType":"Patient","id":"bad","gender":"x"}\n{'
    )
    done = run("load", "a.ndjson", "--report", "why.ndjson", "--language", "zh")
    assert done.code == 1
    assert done.out == "1 created, 0 updated, 0 unchanged, 2 rejected\n"
    assert "why.ndjson" in done.err
    lines = map(json.loads, (tmp_path / "why.ndjson").read_text().splitlines())
    bad, broken = sorted(lines, key=lambda line: str(line["where"]))
    assert (bad["file"], bad["where"], bad["id"]) == ("a.ndjson", "line 2", "bad")
    assert bad["issues"][0]["location"] == "Patient.gender"
    assert "性" in bad["issues"][0]["text"] or "代码" in bad["issues"][0]["text"]
    assert broken["where"] == "line 3"
    # A later load without rejections leaves no report of an earlier one.
    (tmp_path / "a.ndjson").write_text('{"resourceType":"Patient","id":"good"}')
    assert run("load", "a.ndjson", "--report", "why.ndjson").code == 0
    assert not (tmp_path / "why.ndjson").exists()


def _big(path: Path, patients: int) -> int:
    with path.open("w") as stream:
        for number in range(patients):
            resource = {
                "resourceType": "Patient",
                "id": f"p{number}",
                "name": [{"family": f"Family{number}", "given": ["A" * 40]}],
                "birthDate": "1970-01-01",
            }
            stream.write(json.dumps(resource) + "\n")
    return patients


def _wait_for_checkpoint(folder: Path, process: subprocess.Popen[str]) -> None:
    """Until the load has noted where it is."""
    while process.poll() is None:
        if list((folder / "data" / "loads").glob("*/state.json")):
            return
        time.sleep(0.02)
    pytest.fail("the load ended before it could be stopped")


@pytest.mark.fault
def test_a_killed_load_goes_on_and_nothing_is_lost_or_doubled(run: Run, tmp_path: Path) -> None:
    count = _big(tmp_path / "big.ndjson", 50_000)
    for later in (0, 0.9):
        with start(tmp_path, "load", "big.ndjson") as process:
            _wait_for_checkpoint(tmp_path, process)
            time.sleep(later)
            process.send_signal(signal.SIGKILL)
    done = run("load", "big.ndjson")
    assert done.code == 0
    assert "Going on where" in done.err
    assert not (tmp_path / "data" / "loads").exists()
    created, _, unchanged = (int(part.split()[0]) for part in done.out.split(", ")[:3])
    assert created + unchanged >= count
    assert f"Clean: {count} resources" in run("check").out
    run("export", "out")
    assert all(one["meta"]["versionId"] == "1" for one in _lines(tmp_path / "out"))


@pytest.mark.fault
def test_ctrl_c_stops_a_load_with_a_word(run: Run, tmp_path: Path) -> None:
    _big(tmp_path / "big.ndjson", 50_000)
    process = start(tmp_path, "load", "big.ndjson")
    _wait_for_checkpoint(tmp_path, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "run the same command to go on" in err
    assert "Traceback" not in err
    assert run("check").code == 0


@pytest.mark.slow
def test_commands_work_beside_a_running_hub(tmp_path: Path, run: Run, demo_set: Path) -> None:
    with running(tmp_path) as hub:
        done = run("load", demo_set)
        assert done.code == 0, done.err
        patients = hub.client.get("/Patient", params={"_summary": "count"}).json()["total"]
        assert patients == 40
        assert run("demo", "--patients", "50").code == 0
        assert hub.client.get("/Patient", params={"_summary": "count"}).json()["total"] == 50
        assert run("reindex").code == 0
        assert run("check").code == 0
        assert run("backup", "copy").code == 0
        explained = run("explain", f"{hub.url}/fhir/Patient?name=王")
        assert explained.code == 0
        assert explained.out.splitlines()[0].startswith("read: Patient: name(")
        assert run("restore", "copy", "--data", "other").code == 0
        assert run("check", "--data", "other").code == 0
        assert run("restore", "copy").code == 2
        second = run("serve", "--port", "0")
        assert (second.code, len(second.err.splitlines())) == (2, 1)
        assert "in use by process" in second.err


def test_the_demo_set_is_loaded_once(run: Run, tmp_path: Path) -> None:
    first = run("demo", "--patients", "5")
    assert run("demo", "--patients", "5").out == first.out
    run("export", "out")
    assert {one["meta"]["versionId"] for one in _lines(tmp_path / "out")} == {"1"}


def test_the_demo_set_can_be_piped(tmp_path: Path) -> None:
    with start(tmp_path, "demo", "--patients", "2000", "--out", "-") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith('{"resourceType":"Organization"')
        process.stdout.close()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def _peak(folder: Path, *arguments: str) -> tuple[float, str]:
    """Most memory of a command in MB, and what it said."""
    script = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run([sys.executable, '-m', 'hub', *sys.argv[1:]], capture_output=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)\n"
        "sys.stdout.write(done.stdout.decode() + done.stderr.decode())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    first, _, rest = done.stdout.partition("\n")
    return float(first), rest


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """60 MB as ndjson, and as one collection, gzipped."""
    note = {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"x" * 60_000}</div>',
    }
    resources = [
        json.dumps({"resourceType": "Patient", "id": f"p{number}", "text": note})
        for number in range(1000)
    ]
    (tmp_path / "small.ndjson").write_text(resources[0] + "\n")
    (tmp_path / "large.ndjson").write_text("\n".join(resources))
    entries = ",".join(f'{{"resource":{one}}}' for one in resources)
    (tmp_path / "large.json.gz").write_bytes(
        gzip.compress(
            f'{{"resourceType":"Bundle","type":"collection","entry":[{entries}]}}'.encode(), 1
        )
    )
    little, _ = _peak(tmp_path, "load", "small.ndjson", "--data", "a")
    for name, data in (("large.ndjson", "b"), ("large.json.gz", "c")):
        much, said = _peak(tmp_path, "load", name, "--data", data)
        assert "1000 created" in said
        assert much < little + 100, name


@pytest.mark.shared
def test_the_synthea_patients_load_without_a_rejection(
    run: Run, tmp_path: Path, shared: Path
) -> None:
    done = run("load", shared / "data" / "synthea")
    assert done.out == "7460 created, 0 updated, 0 unchanged, 0 rejected\n"
    again = run("load", shared / "data" / "synthea")
    assert again.out == "0 created, 0 updated, 7460 unchanged, 0 rejected\n"
    assert run("check", "--validate").out.startswith("Clean: 7460 resources")
    assert run("export", "out").code == 0
    roles = (tmp_path / "out" / "PractitionerRole.ndjson").read_text()
    assert "Practitioner?identifier" not in roles
    assert run("load", "out", "--data", "fresh").out.startswith("7460 created")
    assert run("check", "--data", "fresh").code == 0
