"""The pages in a real browser: for old eyes, on a phone, by keyboard, in both languages."""

from __future__ import annotations

import pytest

from tests.auth.site import PASSWORD, Site
from tests.browser.driver import DESKTOP, PHONE, Chromium, Page, Viewport

pytestmark = pytest.mark.system("chromium")

SCOPE = "launch/patient openid patient/Observation.rs patient/Observation.cu patient/Condition.rs"

_SMALL = """(() => {
  const found = [];
  for (const one of document.querySelectorAll("a[href], button, input:not([type=hidden])")) {
    const target = one.type === "checkbox" ? one.closest("label") : one;
    const box = target.getBoundingClientRect();
    if (box.width < 48 || box.height < 48) found.push(one.outerHTML.slice(0, 80));
  }
  return found;
})()"""

_TINY = """[...document.querySelectorAll("body *")]
  .filter(one => one.childNodes.length && parseFloat(getComputedStyle(one).fontSize) < 18)
  .map(one => one.outerHTML.slice(0, 80))"""

_NAMELESS = """[...document.querySelectorAll("input:not([type=hidden]), button")]
  .filter(one => !(one.labels?.length || one.innerText.trim() || one.ariaLabel))
  .map(one => one.outerHTML)"""

_FAINT = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = text => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(one => one / 255)
    .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, place) => sum + one * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = one => {
    for (let place = one; place; place = place.parentElement) {
      const colour = rgba(getComputedStyle(place).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const one of document.querySelectorAll("body *")) {
    if (![...one.childNodes].some(child => child.nodeType === 3 && child.data.trim())) continue;
    const pair = [light(rgba(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${one.outerHTML.slice(0, 80)}`);
  }
  return found;
})()"""


def legible(page: Page) -> None:
    """Large type, large targets, contrast, labels, nothing beside the screen."""
    assert page.run(_TINY) == []
    assert page.run(_SMALL) == []
    assert page.run(_NAMELESS) == []
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    assert page.run("document.querySelectorAll('h1').length") == 1
    for scheme in ("light", "dark"):
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        page.send("Emulation.setEmulatedMedia", features=media)
        assert page.run(_FAINT) == [], scheme
    page.send("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_can_be_read(
    site: Site, chromium: Chromium, screen: Viewport, language: str
) -> None:
    asked = str(site.visitor().ask(scope=SCOPE).request.url)
    page = chromium.person(screen, language=language).page()
    page.open(asked)
    assert page.run("document.documentElement.lang") == language.replace("en-US", "en")
    legible(page)
    page.type("input[name=username]", "doctor")
    page.type("input[name=password]", "wrong")
    page.click("button[type=submit]", leaves=True)
    page.wait_for("[role=alert]")
    legible(page)
    page.type("input[name=password]", PASSWORD)
    page.click("button[type=submit]", leaves=True)
    page.type("input[name=name]", "小")
    page.click("button[type=submit]", leaves=True)
    legible(page)
    page.click("[name=patient]", leaves=True)
    page.wait_for("[name=answer]")
    legible(page)
    for path in ("/auth/logout", "/auth/password", "/auth/apps", "/auth/nowhere"):
        page.open(site.url + path)
        legible(page)
    refused = [one for one in page.problems if "Failed to load resource" not in one]
    assert refused == []


def test_a_person_signs_in_with_the_keyboard_alone(site: Site, chromium: Chromium) -> None:
    page = chromium.person(PHONE).page()
    page.open(str(site.visitor().ask(scope="openid patient/Observation.rs").request.url))
    page.wait_until("document.activeElement.name === 'username'")
    page.send("Input.insertText", text="zhang")
    page.press("Tab")
    page.send("Input.insertText", text=PASSWORD)
    page.press("Enter", leaves=True)
    page.wait_for("[name=answer]")
    seen = []
    for _ in range(12):
        page.press("Tab")
        seen.append(page.run("document.activeElement.value ?? document.activeElement.innerText"))
        outline = page.run("getComputedStyle(document.activeElement).outlineWidth")
        assert outline == "4px", seen
        if seen[-1] == "allow":
            break
    assert seen[-1] == "allow"
    page.press("Enter")
    page.wait_until("location.protocol === 'chrome-error:'")  # at the app, where nothing answers
    page.wait_for("body", "app.example.org")
    assert site.audited("authorize")[-1]["ok"]
