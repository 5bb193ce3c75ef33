"""The console as people use it: in Chromium, on a phone and at a desk, by mouse and by keyboard."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from hub.access.clients import Client
from tests.browser.driver import DESKTOP, PHONE, Chromium, Page, Viewport
from tests.rest.running import RunningHub
from tests.web.conftest import PASSWORD, VISITS, log_in, register_app

pytestmark = [pytest.mark.system("chromium"), pytest.mark.slow]

_FORBIDDEN = "status of 403"
_PAGES = ("#/", "#/patients", "#/patients/zhang", "#/patients/zhang/audit", "#/jobs", "#/audit")
_NAMED = {"button", "link", "textbox", "searchbox", "combobox", "Date", "progressbar", "table"}


def go(page: Page, where: str, expected: str = "") -> str:
    """Open a page of the console by its address, and read it once it has loaded."""
    page.run(f"location.hash = {json.dumps(where)}")
    page.wait_until(f"location.hash === {json.dumps(where)} && !!document.querySelector('main h1')")
    page.wait_until("!document.querySelector('[aria-busy=true]')")
    if expected:
        page.wait_for("main", expected)
    return page.text("main")


@pytest.fixture(scope="module")
def at_desk(chromium: Chromium, guarded: RunningHub, tokens: dict[str, str]) -> Page:
    """An administrator who is logged in."""
    return log_in(chromium.person(DESKTOP, language="en-GB"), guarded, "admin")


def test_an_administrator_sees_that_everything_runs(at_desk: Page) -> None:
    text = go(at_desk, "#/", "Everything runs.")
    for words in ("Version", "sqlite", "In the record", "Patient", "Encounter", "Free disk space"):
        assert words in text
    assert at_desk.problems == []


def test_patients_are_found_by_one_han_character_as_it_is_typed(at_desk: Page) -> None:
    go(at_desk, "#/patients")
    at_desk.type("#find", "明")
    at_desk.wait_for("[role=status]", "3 shown")
    at_desk.type("#find", "明华")
    at_desk.wait_for("[role=status]", "1 shown")
    assert "王明华" in at_desk.text(".people")
    at_desk.type("#find", "nobody")
    at_desk.wait_for("[role=status]", "No patient found.")


def test_what_an_input_method_composes_is_not_searched_before_it_is_meant(
    chromium: Chromium, unguarded: RunningHub
) -> None:
    page = chromium.person(DESKTOP, language="zh-CN").page()
    page.open(f"{unguarded.url}/#/patients")
    page.wait_for("[role=status]", "已显示 3 位")
    page.click("#find")
    for typed in ("m", "mi", "ming"):
        page.send("Input.imeSetComposition", text=typed, selectionStart=4, selectionEnd=4)
        time.sleep(0.4)
        assert "已显示 3 位" in page.text("[role=status]")
    page.send("Input.insertText", text="明华")
    page.wait_for("[role=status]", "已显示 1 位")
    assert page.run("document.getElementById('find').value") == "明华"
    assert page.problems == []


def test_coming_back_from_a_patient_shows_what_was_found(at_desk: Page) -> None:
    go(at_desk, "#/patients")
    at_desk.type("#find", "张小")
    at_desk.wait_for("[role=status]", "1 shown")
    at_desk.click(".people a")
    at_desk.wait_for("main h1", "张小明")
    at_desk.run("history.back()")
    at_desk.wait_for("[role=status]", "1 shown")
    assert at_desk.run("document.getElementById('find').value") == "张小"
    assert "张" not in at_desk.url


def test_a_patients_timeline_goes_back_to_the_first_visit(at_desk: Page) -> None:
    text = go(at_desk, "#/patients/zhang", "Show more")
    assert "张小明" in text
    assert "female" in text
    assert "Born 5 Mar 1950" in text
    assert f"{120 + VISITS - 1}/80 mmHg" in text
    assert "120/80 mmHg" not in text
    for _ in range(10):
        if not at_desk.exists(".more button"):
            break
        before = at_desk.run("document.querySelectorAll('.item').length")
        at_desk.click(".more button")
        at_desk.wait_until(f"document.querySelectorAll('.item').length > {before}")
    at_desk.wait_for("main", "This is the beginning of the record.")
    assert "120/80 mmHg" in at_desk.text("main")
    assert at_desk.run("document.querySelectorAll('.item').length") == 2 * VISITS
    days = at_desk.run(
        "[...document.querySelectorAll('.days h3')].map(e => Date.parse(e.innerText))"
    )
    assert days == sorted(days, reverse=True)


def test_a_timeline_shows_one_kind_when_asked(at_desk: Page) -> None:
    go(at_desk, "#/patients/zhang", "Visit")
    at_desk.click(".choices button:nth-child(2)")
    at_desk.wait_until(
        "!document.querySelector('.item.kindMeasures') && !!document.querySelector('.item')"
    )
    assert (
        at_desk.run("document.querySelector('.choices [aria-pressed=true]').innerText") == "Visits"
    )


def test_who_looks_at_a_patient_is_seen_there_and_in_the_audit(
    chromium: Chromium, guarded: RunningHub, tokens: dict[str, str], at_desk: Page
) -> None:
    doctor = log_in(chromium.person(PHONE, language="zh-CN"), guarded, "li")
    go(doctor, "#/patients/wang", "王明华")
    go(doctor, "#/patients/zhao", "无权")
    time.sleep(0.6)  # Reads reach the audit within a quarter of a second.
    text = go(at_desk, "#/patients/wang/audit", "Personal details")
    assert "from 127.0.0.1" in text
    go(at_desk, "#/audit")
    at_desk.type("#audit-who", "li")
    at_desk.type("#audit-patient", "王")
    at_desk.click("button[type=submit]")
    at_desk.wait_until(
        "[...document.querySelectorAll('tbody tr')].every(e => e.innerText.includes('li'))"
        " && document.querySelectorAll('tbody tr').length > 0"
    )
    assert "王明华" in at_desk.text("tbody")
    at_desk.type("#audit-patient", "nobody of that name")
    at_desk.click("button[type=submit]")
    at_desk.wait_for("main", "No patient of that name.")
    assert "nobody" not in at_desk.url


def test_refusals_are_found_by_their_outcome(at_desk: Page, guarded: RunningHub) -> None:
    httpx.get(f"{guarded.url}/fhir/Patient", headers={"authorization": "Bearer stolen"})
    time.sleep(0.6)
    go(at_desk, "#/audit")
    at_desk.type("#audit-who", "")
    at_desk.type("#audit-patient", "")
    at_desk.run(
        "{ const s = document.querySelector('select'); s.value = '4';"
        " s.dispatchEvent(new Event('change', {bubbles: true})); }"
    )
    at_desk.click("button[type=submit]")
    at_desk.wait_until(
        "[...document.querySelectorAll('tbody tr')].every(e => e.innerText.includes('refused'))"
        " && document.querySelectorAll('tbody tr').length > 0"
    )
    assert "401" in at_desk.text("tbody")


async def test_an_app_is_opened_for_the_patient_one_looks_at(
    chromium: Chromium, guarded: RunningHub, tokens: dict[str, str]
) -> None:
    app = Client(
        id="chart",
        name="Growth chart",
        redirect_uris=("http://127.0.0.1:1/callback",),
        launch_url=f"{guarded.url}/docs",
    )
    await register_app(guarded.log.parent / "data", app)
    page = log_in(chromium.person(DESKTOP, language="en-GB"), guarded, "li")
    go(page, "#/patients/zhang", "Open in Growth chart")
    page.click(".row button", leaves=True)
    asked = dict(parse_qsl(urlsplit(page.url).query))
    assert asked["iss"] == f"{guarded.url}/fhir"
    assert len(asked["launch"]) > 30


def test_what_is_not_there_is_said_in_the_hubs_words(at_desk: Page) -> None:
    text = go(at_desk, "#/patients/nobody-here", "nobody-here")
    assert "This is not there, or you may not see it." in text
    at_desk.problems.clear()


def test_a_page_that_does_not_exist_says_so(at_desk: Page) -> None:
    assert "There is no such page." in go(at_desk, "#/nowhere")


def test_jobs_say_that_there_is_nothing_to_do(at_desk: Page) -> None:
    text = go(at_desk, "#/jobs", "No write is waiting.")
    assert "No load is unfinished." in text


def test_the_language_changes_at_once_and_is_kept(at_desk: Page) -> None:
    go(at_desk, "#/patients")
    at_desk.click(".language")
    at_desk.wait_for("main h1", "居民")
    assert at_desk.run("document.documentElement.lang") == "zh-CN"
    at_desk.run("location.reload()")
    at_desk.wait_for("main h1", "居民")
    at_desk.click(".language")
    at_desk.wait_for("main h1", "Patients")


def test_a_reload_needs_no_password_and_nothing_is_kept_in_the_browser(at_desk: Page) -> None:
    go(at_desk, "#/account", "administrator")
    at_desk.run("location.reload()")
    at_desk.wait_for("main", "administrator")
    assert at_desk.url.endswith("/#/account")
    kept = at_desk.run("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert json.loads(kept) == [{"console.language": "en"}, {}, ""]


def test_the_session_cookie_is_out_of_reach_of_scripts(at_desk: Page) -> None:
    cookies = {one["name"]: one for one in at_desk.cookies()}
    assert cookies
    for name, cookie in cookies.items():
        assert cookie["httpOnly"], name
        assert cookie["sameSite"] in ("Lax", "Strict"), name


def test_a_doctor_is_told_what_is_not_for_doctors(
    chromium: Chromium, guarded: RunningHub, tokens: dict[str, str]
) -> None:
    page = log_in(chromium.person(PHONE, language="zh-CN"), guarded, "li")
    assert "查找居民" in page.text("main")
    assert not page.exists("nav.places a[href='#/jobs']")
    assert "只有系统管理员和管理人员可以查看运行信息。" in go(page, "#/jobs", "无权")
    assert "王明华" in go(page, "#/patients", "王明华")
    assert "赵明" not in page.text("main")
    assert "内容不存在，或您无权查看。" in go(page, "#/patients/zhao", "无权")
    assert "159/80" not in page.text("main")


def test_a_patient_sees_the_own_record_and_no_other(
    chromium: Chromium, guarded: RunningHub, tokens: dict[str, str]
) -> None:
    page = log_in(chromium.person(PHONE, language="zh-CN"), guarded, "zhang")
    assert "打开档案" in page.text("main")
    page.click(".places a:nth-child(2)")
    page.wait_for("main h1", "张小明")
    assert not page.exists(".back")
    assert "王明华" not in go(page, "#/patients", "张小明")
    assert "无权" in go(page, "#/patients/wang", "无权")


def test_logging_out_ends_it(
    chromium: Chromium, guarded: RunningHub, tokens: dict[str, str]
) -> None:
    page = log_in(chromium.person(DESKTOP, language="en-GB"), guarded, "chen")
    go(page, "#/account", "manager")
    page.click("button.main", leaves=True)
    page.wait_for("form button")
    page.click("main form button, form[method=post] button", leaves=True)
    page.open(f"{guarded.url}/")
    page.wait_for("input[type=password]")


def test_an_answer_that_nobody_asked_for_lets_nobody_in(
    chromium: Chromium, guarded: RunningHub
) -> None:
    page = chromium.person(DESKTOP, language="en-GB").page()
    page.open(f"{guarded.url}/?code=stolen&state=unknown")
    page.wait_for("main", "This login was started elsewhere or too long ago.")
    assert page.url == f"{guarded.url}/"


def test_a_login_under_another_name_of_the_host_ends_under_the_hubs_own(
    chromium: Chromium, guarded: RunningHub, tokens: dict[str, str]
) -> None:
    page = chromium.person(DESKTOP, language="en-GB").page()
    page.open(f"{guarded.url.replace('127.0.0.1', 'localhost')}/#/patients")
    page.wait_for("input[type=password]")
    page.type("input[name=username]", "admin")
    page.type("input[type=password]", PASSWORD)
    page.press("Enter")
    page.wait_for("main h1", "Patients")
    assert page.url == f"{guarded.url}/#/patients"


def test_without_authentication_every_page_says_so(
    chromium: Chromium, unguarded: RunningHub
) -> None:
    page = chromium.person(PHONE, language="en-GB").page()
    page.open(unguarded.url)
    for where in (*_PAGES, "#/account"):
        go(page, where)
        assert "Authentication is off" in page.text(".warning")
    assert page.problems == []


# --- for everyone ---------------------------------------------------------------------------


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_pages_fit_the_screen_and_can_be_touched(
    chromium: Chromium, unguarded: RunningHub, viewport: Viewport, language: str
) -> None:
    page = chromium.person(viewport, language=language).page()
    page.open(unguarded.url)
    for where in (*_PAGES, "#/account"):
        go(page, where)
        assert page.run("document.documentElement.scrollWidth") <= viewport.width, where
        small = page.run(
            "[...document.querySelectorAll('button, input, select, .places a, .people a')]"
            ".filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
        )
        assert small == [], where
        assert page.run("parseFloat(getComputedStyle(document.body).fontSize)") >= 18


def test_a_screen_reader_finds_landmarks_and_a_name_for_everything(
    chromium: Chromium, unguarded: RunningHub
) -> None:
    page = chromium.person(DESKTOP, language="en-GB").page()
    page.open(unguarded.url)
    for where in (*_PAGES, "#/account"):
        go(page, where)
        nodes = page.send("Accessibility.getFullAXTree")["nodes"]
        seen = [node for node in nodes if not node.get("ignored")]
        roles = [_value(node, "role") for node in seen]
        for landmark in ("banner", "navigation", "main"):
            assert landmark in roles, (where, landmark)
        nameless = [
            node for node in seen if _value(node, "role") in _NAMED and not _value(node, "name")
        ]
        assert nameless == [], where
        levels = page.run(
            "[...document.querySelectorAll('h1,h2,h3')].map(e => Number(e.tagName[1]))"
        )
        assert levels[0] == 1, where
        assert levels.count(1) == 1, where
        assert all(after - before <= 1 for before, after in pairwise(levels))


def _value(node: dict[str, Any], name: str) -> str:
    return str(node.get(name, {}).get("value", ""))


def test_everything_is_reached_by_keyboard(chromium: Chromium, unguarded: RunningHub) -> None:
    page = chromium.person(DESKTOP, language="en-GB").page()
    page.open(f"{unguarded.url}/#/patients")
    page.wait_for(".people a")
    page.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    page.press("Enter")
    assert page.run("document.activeElement.id") == "main"
    page.press("Tab")
    assert page.run("document.activeElement.id") == "find"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Tab")
    page.press("Enter")
    page.wait_for(".lead")
    page.wait_until("document.activeElement.tagName === 'H1'")
    assert "· Health record" in page.run("document.title")


def test_words_stand_out_from_their_ground_by_day_and_by_night(
    chromium: Chromium, unguarded: RunningHub
) -> None:
    page = chromium.person(DESKTOP, language="en-GB").page()
    page.open(unguarded.url)
    for scheme in ("light", "dark"):
        page.send(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        for where in _PAGES:
            go(page, where)
            assert page.run(_FAINT) == [], (scheme, where)


# Elements with text of their own whose contrast is below 4.5 (WCAG 2.2, 1.4.3).
_FAINT = """(() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const found = parts(getComputedStyle(e).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  return [...document.body.querySelectorAll("*")]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .filter((e) => {
      const [a, b] = [parts(getComputedStyle(e).color), ground(e)].map(light);
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
    })
    .map((e) => e.outerHTML.slice(0, 120));
})()"""
