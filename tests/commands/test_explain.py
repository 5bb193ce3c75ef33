"""`explain` shows how a search is read and run, in words and SQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Run, start


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small store."""
    folder = tmp_path_factory.mktemp("explain")
    start(folder, "demo", "--patients", "5").communicate(timeout=60)
    return folder / "data"


@pytest.mark.parametrize(
    ("url", "first"),
    [
        ("Patient?name=小明", "read: Patient: name("),
        ("http://127.0.0.1:8080/fhir/Patient?name=x", "read: Patient: name("),
        ("/fhir/Patient", "read: Patient: "),
        ("Observation?patient=123&code=8480-6&_sort=-date", "read: Observation: "),
        ("Encounter?patient.name=%E5%B0%8F%E6%98%8E", "read: Encounter: "),
        ("Patient/123/Observation?code=8480-6", "read: Observation: "),
        ("?_type=Patient,Group&_lastUpdated=ge2026", "read: "),
    ],
)
def test_a_search_is_explained(run: Run, data: Path, url: str, first: str) -> None:
    done = run("explain", url, "--data", data)
    assert done.code == 0, done.err
    assert "SELECT" not in done.out
    assert len(done.out.splitlines()) < 8
    done = run("explain", url, "--sql", "--data", data)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith(first)
    if "123" in url or "patient.name" in url:  # Nobody has them: nothing is looked for.
        assert len(lines) >= 2
    else:
        assert any(line.startswith("candidates: ") for line in lines)
        assert any(line.startswith("way: ") for line in lines)
        assert any(line.startswith("  SELECT") for line in lines)
        assert any(line.startswith("    ") for line in lines)


def test_what_is_ignored_is_told(run: Run, data: Path) -> None:
    assert "ignored: colour" in run("explain", "Patient?colour=red", "--data", data).out


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("Nobody?name=x", "Nobody"),
        ("Patient?birthdate=yesterday", "birthdate"),
        ("Patient?name:nonsense=x", "nonsense"),
        ("Patient/1/Observation/2", "Give a search"),
    ],
)
def test_a_search_that_cannot_be_read_is_told_in_a_line(
    run: Run, data: Path, url: str, words: str
) -> None:
    done = run("explain", url, "--data", data)
    assert done.code == 2
    assert words in done.err
    assert len(done.err.splitlines()) == 1
