"""Commands as processes of their own, on a SQLite store in a folder of the test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Done:
    """What a command said."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


def start(
    folder: Path,
    *arguments: str | Path,
    locale: str = "C.UTF-8",
    stdin: int = subprocess.DEVNULL,
    **settings: str,
) -> subprocess.Popen[str]:
    """Start a command in a folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
    environment |= {f"HUB_{name.upper()}": value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "hub", *map(str, arguments)],
        cwd=folder,
        env=environment
        | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "120", "LC_ALL": locale},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command to its end in the test's folder; never a traceback."""

    def command(*arguments: str | Path, **settings: str) -> Done:
        process = start(tmp_path, *arguments, **settings)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in out + err, err
        return Done(process.returncode, out, err)

    return command


@pytest.fixture(scope="session")
def demo_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo set of 40 patients as ndjson."""
    folder = tmp_path_factory.mktemp("demo")
    process = start(folder, "demo", "--patients", "40", "--out", "demo.ndjson")
    process.communicate(timeout=60)
    return folder / "demo.ndjson"
