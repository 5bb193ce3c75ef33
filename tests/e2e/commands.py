"""`fhir-hub` as it is typed, beside a running hub."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def fhir_hub(data: Path, *arguments: str, typed: str = "", code: int = 0) -> str:
    """Run a command to its end; gives what it printed.

    Args:
        data: Data folder.
        arguments: Command and options.
        typed: Its standard input.
        code: The exit code that is expected.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
    done = subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        env=environment | {"HUB_DATA": str(data), "LC_ALL": "C.UTF-8", "COLUMNS": "200"},
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr
