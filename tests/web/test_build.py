"""What is committed of the console is what its sources make, and they pass their own tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "hub" / "web" / "console"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources elsewhere, with their dependencies as the lock file says."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not on this machine")
    folder = tmp_path_factory.mktemp("web") / "console"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("node_modules", ".tests"))
    npm(folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    return folder


def npm(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        ["npm", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"CI": "true"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_committed_files_are_what_the_sources_make(copy: Path) -> None:
    npm(copy, "run", "build")
    made = {file.name: file.read_bytes() for file in (copy.parent / "static").iterdir()}
    static = ROOT / "hub" / "web" / "static"
    committed = {file.name: file.read_bytes() for file in static.iterdir()}
    assert made.keys() == committed.keys()
    old = [name for name in made if made[name] != committed[name]]
    assert not old, f"run `make console` and commit {old}"


def test_the_sources_have_no_type_errors(copy: Path) -> None:
    npm(copy, "run", "check")


def test_the_sources_pass_their_own_tests(copy: Path) -> None:
    npm(copy, "test")


def test_the_lock_file_names_no_registry() -> None:
    lock = (SOURCES / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
