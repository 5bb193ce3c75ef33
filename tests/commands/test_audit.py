"""The audit chain from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import apsw

from hub.storage.sqlite.connect import DATABASE
from tests.commands.conftest import Run


def filled(run: Run) -> str:
    """A store with some accounts; gives the chain's head as it is printed."""
    for name in ("li.wei", "chen", "wang"):
        assert run("account", "add", name, "-r", "nurse", "--generate").code == 0
    done = run("audit", "verify")
    assert done.code == 0
    assert "The audit chain holds: 3 rows." in done.out
    found = re.search(r"^head: (3:[0-9a-f]{64})$", done.out, re.MULTILINE)
    assert found
    return found[1]


def tamper(folder: Path, sql: str) -> None:
    connection = apsw.Connection(str(folder / "data" / DATABASE))
    connection.execute(sql)
    connection.close()


def test_a_row_that_was_altered_is_named(run: Run, tmp_path: Path) -> None:
    filled(run)
    tamper(tmp_path, "UPDATE audit SET time = time + 1 WHERE row = 2")
    done = run("audit", "verify")
    assert done.code == 1
    assert "audit row 2: it was altered" in done.err
    assert run("check").code == 1


def test_a_chain_that_was_cut_off_shows_against_its_head(run: Run, tmp_path: Path) -> None:
    head = filled(run)
    assert run("audit", "verify", "--expect", head).code == 0
    assert run("account", "disable", "chen").code == 0
    assert run("audit", "verify", "--expect", head).code == 0
    tamper(tmp_path, "DELETE FROM audit WHERE row > 2")
    assert run("audit", "verify").code == 0
    done = run("audit", "verify", "--expect", head)
    assert done.code == 1
    assert "audit row 3: it is missing: the chain was cut off and ends with row 2" in done.err


def test_a_malformed_head_is_refused(run: Run) -> None:
    filled(run)
    for text in ("x", "3", "3:zz", "3:00", ":" + "00" * 32):
        assert run("audit", "verify", "--expect", text).code == 2


def test_events_are_shown_newest_first(run: Run) -> None:
    filled(run)
    shown = run("audit", "show", "-n", "2")
    lines = [line.split("\t") for line in shown.out.splitlines()]
    assert [one[3] for one in lines] == ["audit-show", "110137"]
    assert lines[1][1:3] == ["ok", "local"]
    assert lines[1][4] == "account/wang"
    events = [
        json.loads(line)
        for line in run(
            "audit", "show", "--json", "--where", "subtype=account-add"
        ).out.splitlines()
    ]
    assert [event["id"] for event in events] == ["audit-3", "audit-2", "audit-1"]
    assert run("audit", "show", "--who", "nobody").out == ""
    assert run("audit", "show", "--refused").out == ""
    assert run("audit", "show", "--until", "2001").out == ""
    assert run("audit", "show", "--patient", "42", "--since", "2001").out == ""
    assert run("audit", "show", "--where", "colour=red").code == 2
    assert run("audit", "show", "--where", "odd").code == 2
