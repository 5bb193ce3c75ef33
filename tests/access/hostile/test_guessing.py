"""Guessing names and passwords: nothing tells which accounts there are, and guessing ends."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import pytest

from tests.access.hostile.lab import PASSWORD, Lab
from tests.access.hostile.visitor import Visitor


def attempt(lab: Lab, name: str, password: str) -> httpx.Response:
    """A login in a fresh browser."""
    visitor = Visitor(lab.hub.url)
    answer = visitor.log_in(visitor.open("/auth/login"), name, password)
    visitor.close()
    return answer


def words(page: httpx.Response) -> str:
    """A page without what differs anyway: tokens, and the name that was typed."""
    text = re.sub(r'value="[^"]*"', "", page.text)
    return re.sub(r"[0-9a-f]{32,}", "", text)


def test_a_wrong_password_and_an_unknown_name_read_the_same(lab: Lab):
    since = time.time()
    known, unknown = (
        attempt(lab, "wang", "wrong password"),
        attempt(lab, "nobody", "wrong password"),
    )
    assert known.status_code == unknown.status_code == 401
    assert words(known) == words(unknown)
    assert dict(known.headers).keys() == dict(unknown.headers).keys()
    found = lab.refusals(since, 2, subtype="login")
    assert len(found) == 2


@pytest.mark.parametrize(
    "name", ["nobody", "", "x" * 5000, "' OR 1=1 --", "../wang", "wang\u0000", "王"]
)
def test_no_name_makes_the_login_page_stumble(lab: Lab, name: str):
    answer = attempt(lab, name, "wrong password")
    assert answer.status_code in (400, 401)
    assert "nobody" not in str(lab.refusals(time.time() - 5, subtype="login"))


def test_an_unknown_name_takes_as_long_as_a_wrong_password(lab: Lab):
    """In processor time of the hub, taken alternately: the machine is busy with others too."""
    took = {"slow": 0, "nobody-here": 0}
    for _ in range(4):
        for name in took:
            visitor = Visitor(lab.hub.url)
            page = visitor.open("/auth/login")
            before = ticks(lab.hub.process.pid)
            visitor.log_in(page, name, "wrong password")
            took[name] += ticks(lab.hub.process.pid) - before
            visitor.close()
    assert 0.4 < (took["slow"] + 1) / (took["nobody-here"] + 1) < 2.5
    assert min(took.values()) > 2, "a password is hashed for each"


def ticks(process: int) -> int:
    """Processor time of a process, in clock ticks."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


def test_guessing_is_slowed_down_and_then_locked_and_every_try_is_audited(lab: Lab):
    since = time.time()
    for number in range(12):
        assert attempt(lab, "brute", f"guess {number}").status_code == 401
    # Now not even the right one is let in, and the words are the same.
    locked = attempt(lab, "brute", PASSWORD)
    assert locked.status_code == 401
    assert words(locked) == words(attempt(lab, "wang", "wrong password"))
    found = lab.refusals(since, 14, subtype="login")
    assert sum("brute" in str(one["agent"]) for one in found) == 13
    # The others are not locked out with it.
    assert attempt(lab, "wang", PASSWORD).status_code != 401
