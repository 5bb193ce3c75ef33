"""The driver sees what a person sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.driver import PHONE, Chromium

pytestmark = pytest.mark.system("chromium")

_PAGE = """data:text/html;charset=utf-8,<!doctype html><title>t</title>
<meta name=viewport content="width=device-width">
<form action="about:blank%23sent"><label>名<input id=name value=old></label>
<button>Go</button></form><p id=out style="margin-top:2000px"></p>
<script>document.getElementById("name").oninput = e =>
document.getElementById("out").textContent = e.target.value</script>"""


def test_what_is_typed_arrives_and_what_the_page_answers_is_read(chromium: Chromium):
    page = chromium.person().page()
    page.open(_PAGE)
    page.type("#name", "李伟 <>")
    page.wait_for("#out", "李伟 <>")
    assert page.text("#out") == "李伟 <>"
    page.click("button", leaves=True)
    assert page.url.endswith("#sent")


def test_a_form_is_sent_with_the_keyboard_alone(chromium: Chromium):
    page = chromium.person().page()
    page.open(_PAGE)
    page.press("Tab")
    assert page.run("document.activeElement.id") == "name"
    page.press("Enter", leaves=True)
    assert page.url.endswith("#sent")


def test_a_person_has_their_own_screen_and_language(chromium: Chromium, tmp_path: Path):
    page = chromium.person(PHONE, language="zh-CN").page()
    page.open(_PAGE)
    assert page.run("[innerWidth, devicePixelRatio, navigator.language]") == [
        PHONE.width,
        PHONE.scale,
        "zh-CN",
    ]
    assert page.screenshot(tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_what_the_console_complains_of_is_collected(chromium: Chromium):
    page = chromium.person().page()
    page.open("data:text/html,<script>console.error('one', 2); nothing.there</script>")
    assert page.problems[0] == "one 2"
    assert page.problems[1].startswith("ReferenceError")


def test_what_something_covers_is_not_clicked(chromium: Chromium):
    page = chromium.person().page()
    page.open(
        "data:text/html,<button>Go</button>"
        "<div style='position:fixed;inset:0;background:white'></div>"
    )
    with pytest.raises(AssertionError, match="is covered by <div"):
        page.click("button", seconds=0.2)
