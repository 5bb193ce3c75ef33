"""Messages of hospitals in the console: over HTTP and in Chromium, with a hub that gets some."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from adapters.hl7v2.mllp.client import connected
from tests.browser.driver import DESKTOP, PHONE, Chromium, Page
from tests.rest.running import RunningHub, free_port, running, token_of
from tests.web.conftest import PEOPLE, fill, log_in

HELD, GONE = free_port(), free_port()
SITE = f"""
sender = ["HIS|CENTRAL"]
[destination]
host = "127.0.0.1"
port = {GONE}
events = ["ADT"]
"""


def admission(control_id: str, kind: str = "ADT^A01", patient: str = "P1") -> bytes:
    """A message of somebody invented."""
    return (
        f"MSH|^~\\&|LIS|CENTRAL|HUB||20260301080000+0800||{kind}|{control_id}|P|2.5.1"
        "||||||UNICODE UTF-8\r"
        "EVN||20260301080000+0800\r"
        f"PID|1||{patient}^^^CENTRAL^MR||欧阳^建国||19480219|M\r"
        f"PV1|1|I|A^1^1|||||||||||||||||V{patient}^^^CENTRAL\r"
    ).encode()


async def _send(*messages: bytes) -> list[bytes]:
    async with connected("127.0.0.1", HELD) as connection:
        return [await connection.exchange(one, 30) for one in messages]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that has got three messages, one of them a repeat, one unknown."""
    folder = tmp_path_factory.mktemp("hospital")
    (folder / "data" / "sites").mkdir(parents=True)
    (folder / "data" / "sites" / "his.toml").write_text(SITE)
    with running(folder, "--mllp", str(HELD)) as hub:
        fill(hub)
        answers = asyncio.run(
            _send(admission("M1"), admission("M1"), admission("M2", "ZZZ^Z01", "P2"))
        )
        assert [b"MSA|AA" in one for one in answers] == [True, True, False]
        yield hub
        assert hub.unexpected_errors() == 0, hub.tracebacks()


@pytest.fixture(scope="module")
def keys(hospital: RunningHub) -> dict[str, dict[str, str]]:
    """The header that lets each of `PEOPLE` in."""
    data = hospital.log.parent / "data"
    return {
        name: {"authorization": f"Bearer {token_of(data, name, role, fhir_user=who)}"}
        for name, (role, who) in PEOPLE.items()
    }


def test_messages_are_told_without_what_they_say(
    hospital: RunningHub, keys: dict[str, dict[str, str]]
) -> None:
    found = httpx.get(f"{hospital.url}/console/messages", headers=keys["admin"])
    assert found.headers["cache-control"] == "no-store"
    told: dict[str, Any] = found.json()
    assert [(one["row"], one["state"], one["controlId"]) for one in told["messages"]] == [
        (2, "quarantined", "M2"),
        (1, "stored", "M1"),
    ]
    (site,) = [one for one in told["counts"] if one["direction"] == "in"]
    assert site["reconciles"]
    assert (site["received"], site["repeat"]) == (3, 1)
    assert "欧阳" not in found.text
    asked = "?direction=in&state=quarantined&before=2"
    older = httpx.get(f"{hospital.url}/console/messages{asked}", headers=keys["admin"])
    assert older.json()["messages"] == []


def test_a_message_is_shown_whole_to_administrators_and_that_is_noted(
    hospital: RunningHub, keys: dict[str, dict[str, str]]
) -> None:
    found = httpx.get(f"{hospital.url}/console/messages/in/1", headers=keys["admin"]).json()
    assert "PID|1||P1^^^CENTRAL^MR||欧阳^建国" in found["text"]
    assert "MSA|AA|M1" in found["answer"]
    looks = hospital.audited("subtype=v2-show", lambda one: "message-in/1" in json.dumps(one))
    assert "admin" in json.dumps(looks[0]["agent"])
    assert "127.0.0.1" in json.dumps(looks[0]["agent"])


@pytest.mark.parametrize("name", ["chen", "li", "zhang"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "messages"),
        ("GET", "messages/in/1"),
        ("POST", "messages/in/2/replay"),
        ("GET", "destinations"),
        ("POST", "destinations/his/pause"),
    ],
)
def test_messages_are_for_administrators(
    hospital: RunningHub, keys: dict[str, dict[str, str]], name: str, method: str, path: str
) -> None:
    url = f"{hospital.url}/console/{path}"
    refused = httpx.request(method, url, headers=keys[name])
    assert refused.status_code == 403
    assert httpx.request(method, url).status_code == 401
    me = httpx.get(f"{hospital.url}/console/me", headers=keys[name]).json()
    assert me["messages"] is False


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "messages/in/99", 404),
        ("GET", "messages/in/x", 404),
        ("GET", "messages/sideways/1", 404),
        ("GET", f"messages/in/{'9' * 30}", 404),
        ("GET", "messages/in/2/replay", 404),
        ("POST", "messages/in/1", 404),
        ("POST", "messages/out/2/replay", 404),
        ("POST", "destinations/nowhere/pause", 404),
        ("POST", "destinations/his/stop", 404),
        ("PUT", "messages", 405),
        ("GET", "messages?" + "&".join("state=x" for _ in range(50)), 400),
        ("GET", "messages?before=x&direction=y", 200),
    ],
)
def test_what_is_not_there_is_not_done(
    hospital: RunningHub, keys: dict[str, dict[str, str]], method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, f"{hospital.url}/console/{path}", headers=keys["admin"])
    assert answer.status_code == status


def test_a_hub_without_hospitals_has_no_messages(guarded: RunningHub) -> None:
    assert httpx.get(f"{guarded.url}/console/messages").status_code == 404


# --- in a browser ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def at_desk(chromium: Chromium, hospital: RunningHub, keys: dict[str, dict[str, str]]) -> Page:
    """An administrator who is logged in."""
    assert keys
    return log_in(chromium.person(DESKTOP, language="en-GB"), hospital, "admin")


def _go(page: Page, where: str, expected: str) -> None:
    page.run(f"location.hash = {json.dumps(where)}")
    page.wait_for("main", expected)


@pytest.mark.system("chromium")
@pytest.mark.slow
def test_an_administrator_finds_what_is_in_quarantine_and_tries_it_again(at_desk: Page) -> None:
    _go(at_desk, "#/messages", "3 received = 1 stored + 1 repeated + 1 in quarantine + 0 in work")
    at_desk.wait_for("table", "M2")
    at_desk.click("[aria-label=State] button:nth-child(2)")
    at_desk.wait_until("document.querySelectorAll('tbody tr').length === 1")
    at_desk.click("tbody a")
    at_desk.wait_for("pre", "PID|1||P2")
    assert "欧阳" in at_desk.text("pre")
    at_desk.click("button.main")
    at_desk.wait_for("[role=status]", "It waits for its work")
    assert at_desk.problems == []


@pytest.mark.system("chromium")
@pytest.mark.slow
def test_a_destination_is_paused_and_resumed(at_desk: Page) -> None:
    _go(at_desk, "#/messages", "Where messages go")
    at_desk.wait_for(".steered", str(GONE))
    at_desk.click(".steered button")
    at_desk.wait_for(".steered", "paused")
    at_desk.click(".steered button")
    at_desk.wait_for(".steered button", "Pause")
    assert at_desk.problems == []


@pytest.mark.system("chromium")
@pytest.mark.slow
def test_messages_fit_on_a_phone_in_chinese(
    chromium: Chromium, hospital: RunningHub, keys: dict[str, dict[str, str]]
) -> None:
    assert keys
    page = log_in(chromium.person(PHONE, language="zh-CN"), hospital, "admin", "#/messages")
    page.wait_for("main", "收到 3 = 已入库 1 + 重复 1")
    page.wait_for("tbody", "M1")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    page.run("location.hash = '#/messages/in/1'")
    page.wait_for("pre", "欧阳")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    assert page.problems == []
