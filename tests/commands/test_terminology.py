"""`fhir-hub terminology` from the outside: load, replace, list, remove, and what is refused."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.commands.conftest import Run, start
from tests.terminology import icd10_cn

URL = "http://example.org/fhir/CodeSystem/icd-10-cn"
NAMED = ("--url", URL, "--version", "2.0")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "icd10.csv"
    path.write_bytes(icd10_cn.table(2_000))
    return path


def test_a_code_system_is_loaded_replaced_and_removed(run: Run, table: Path) -> None:
    done = run("terminology", "load", "csv", table, *NAMED)
    assert done.code == 0
    assert "2000 concepts created" in done.out
    assert "code=主要编码,display=疾病名称,status=是否有效,en=英文名称" in done.err
    assert "2000 concepts unchanged" in run("terminology", "load", "csv", table, *NAMED).out

    table.write_bytes(icd10_cn.table(2_100, "gb18030"))
    assert "2100 concepts replaced" in run("terminology", "load", "csv", table, *NAMED).out
    other = ("--url", URL, "--version", "2.1", "--title", "ICD-10 国家临床版")
    assert "2100 concepts created" in run("terminology", "load", "csv", table, *other).out

    lines = run("terminology", "list").out.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [
        [f"{URL}|2.0", "2100 concepts"],
        [f"{URL}|2.1", "2100 concepts"],
    ]
    assert "|2.0: removed" in run("terminology", "remove", URL, "--version", "2.0").out
    assert "|2.0" not in run("terminology", "list").out
    assert run("terminology", "remove", URL).code == 0
    missing = run("terminology", "remove", URL)
    assert (missing.code, missing.out) == (1, "")
    assert "No code system" in missing.err
    assert run("check").code == 0


def test_a_bad_row_loads_nothing_and_keeps_what_was_there(run: Run, table: Path) -> None:
    run("terminology", "load", "csv", table, *NAMED)
    before = run("terminology", "list").out
    table.write_text("编码,名称\nA00,霍乱\nA00,\nA01,=1+1\n", encoding="utf-8")
    done = run("terminology", "load", "csv", table, *NAMED)
    assert done.code == 1
    assert "row 3, column 名称: The name is missing." in done.err
    assert "row 3, column 编码: The code A00 stands in row 2 already." in done.err
    assert "row 4, column 名称: =1+1 is a formula." in done.err
    assert "Nothing was loaded." in done.err
    assert run("terminology", "list").out == before

    done = run("terminology", "load", "csv", table, *NAMED, "--keep-going")
    assert done.code == 1
    assert "1 concepts replaced" in done.out
    assert "2 bad rows were left out" in done.err


def test_a_dry_run_loads_nothing(run: Run, table: Path) -> None:
    done = run("terminology", "load", "csv", table, *NAMED, "--dry-run")
    assert done.code == 0
    assert "Nothing was loaded" in done.out
    assert run("terminology", "list").code == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--url", "icd10", "--version", "1"), "is no canonical url"),
        (("--url", f"{URL}|1", "--version", "1"), "is no canonical url"),
        (("--url", URL, "--version", "a b"), "--version is a word"),
        ((*NAMED, "--hierarchy", "tree"), "--hierarchy takes"),
        ((*NAMED, "--delimiter", "ab"), "--delimiter takes"),
        ((*NAMED, "--encoding", "nope"), "No encoding is called nope"),
        ((*NAMED, "--columns", "code=不存在"), "There is no column 不存在"),
    ],
)
def test_what_does_not_fit_is_told(
    run: Run, table: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = run("terminology", "load", "csv", table, *arguments)
    assert done.code == 2
    assert words in done.err


def test_a_file_that_is_not_there_is_told(run: Run) -> None:
    done = run("terminology", "load", "csv", "nothing.csv", *NAMED)
    assert done.code == 2
    assert "nothing.csv" in done.err


@pytest.mark.fault
def test_a_load_that_is_killed_leaves_the_old_version(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "icd10.csv"
    path.write_bytes(icd10_cn.table(500))
    run("terminology", "load", "csv", path, *NAMED)
    path.write_bytes(icd10_cn.table(60_000))
    # From before the file is read to after the commit; the last one is left alone.
    seen = set()
    for delay in (0.2, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 60):
        process = start(tmp_path, "terminology", "load", "csv", path, *NAMED)
        end = time.monotonic() + delay
        while process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        listed = run("terminology", "list").out
        count = listed.split("  ")[1]
        assert count in ("500 concepts", "60000 concepts"), listed
        seen.add(count)
        assert run("check").code == 0
    assert "60000 concepts" in seen
