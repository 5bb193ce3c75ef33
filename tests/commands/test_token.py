"""`fhir-hub token`: acts for an account, for the hub that was served last, and ends with both."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.rest.running import RunningHub, running


def _hub(folder: Path, *arguments: str, password: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments, "--data", str(folder / "data")],
        input=password,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )


def _status(hub: RunningHub, token: str, path: str = "/Patient") -> int:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.get(f"{hub.url}/fhir{path}", headers=headers).status_code


def test_a_token_does_what_its_account_may_until_that_ends(tmp_path: Path) -> None:
    with running(tmp_path, auth="on") as hub:
        _hub(tmp_path, "account", "add", "li", "--role", "admin", password="a password of mine\n")
        made = _hub(tmp_path, "token", "LI")
        assert made.returncode == 0, made.stderr
        token = made.stdout.strip()
        assert token.count(".") == 2
        assert _status(hub, token) == 200
        narrow = _hub(tmp_path, "token", "li", "--scope", "user/Observation.rs").stdout.strip()
        assert _status(hub, narrow, "/Observation") == 200
        assert _status(hub, narrow) == 403
        # Another hub's address is in it: it is no token of a hub that is served elsewhere.
        hub.stop()
    with running(tmp_path, auth="on") as hub:
        assert _status(hub, token) == 401
        token = _hub(tmp_path, "token", "li").stdout.strip()
        assert _status(hub, token) == 200
        _hub(tmp_path, "client", "remove", "command-line")
        assert _hub(tmp_path, "account", "disable", "li").returncode == 0
        refused = _hub(tmp_path, "token", "li")
        assert refused.returncode == 2
        assert refused.stderr.strip() == "There is no account li."


def test_what_cannot_be_a_token_is_told_in_a_line(tmp_path: Path) -> None:
    with running(tmp_path, auth="on"):
        for arguments, words in (
            (("nobody",), "There is no account nobody."),
            (("tester", "--scope", "everything"), "everything"),
            (("tester", "--minutes", "61"), "--minutes"),
        ):
            refused = _hub(tmp_path, "token", *arguments)
            assert refused.returncode == 2
            assert words in refused.stderr
            assert "Traceback" not in refused.stderr
            assert refused.stdout == ""
