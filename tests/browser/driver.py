"""Real Chromium for tests: persons with pages, who read, click and type.

Each `Person` has cookies of its own. Whatever is clicked gets real mouse events at the place
where it is, so what something else covers cannot be clicked. `Page.problems` collects what the
console complains of; a test that expects nothing there says so.

    with browser(folder) as chromium:
        page = chromium.person(PHONE, language="zh-CN").page()
        page.open(url)
        page.type("input[name=username]", "li.wei")
        page.click("button[type=submit]", leaves=True)
        assert "李伟" in page.text("main")
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.browser.devtools import DevToolsError, Event, Pipe

_PATIENCE = 15.0
_BETWEEN_LOOKS = 0.03
_KEYS = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "Space": (" ", 32, " "),
    "ArrowDown": ("ArrowDown", 40, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
}
_LEFT_BEHIND = "__left_behind"

_PLACE = """(() => {
  const found = document.querySelector(%s);
  if (!found) return "is not there";
  found.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
  const box = found.getBoundingClientRect();
  if (!box.width || !box.height) return "has no size";
  const x = box.left + box.width / 2, y = box.top + box.height / 2;
  const hit = document.elementFromPoint(x, y);
  const label = hit && hit.closest("label");
  if (hit && (found.contains(hit) || hit.contains(found) || (label && label.control === found)))
    return [x, y];
  return "is covered by " + (hit ? hit.outerHTML.slice(0, 120) : "nothing");
})()"""


@dataclass(frozen=True, slots=True)
class Viewport:
    """A screen, in CSS pixels."""

    width: int
    height: int
    scale: float = 1
    touch: bool = False


PHONE = Viewport(360, 740, scale=2, touch=True)
DESKTOP = Viewport(1280, 800)


class Page:
    """A tab."""

    def __init__(self, pipe: Pipe, session: str, target: str, cookies: str) -> None:
        """Made by `Person.page`."""
        self._pipe, self._session, self._target = pipe, session, target
        self._cookies = cookies
        self.problems: list[str] = []
        """Console errors, uncaught exceptions, refused requests, breaches of the CSP."""
        pipe.listen(session, self._note)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send any DevTools command to this tab."""
        return self._pipe.ask(method, session=self._session, **parameters)

    def open(self, url: str) -> None:
        """Go to an address and wait until it is loaded."""
        self.send("Page.navigate", url=url)
        self.wait_until("document.readyState === 'complete' && location.href !== 'about:blank'")

    @property
    def url(self) -> str:
        """Where the tab is."""
        return str(self.run("location.href"))

    def run(self, script: str) -> Any:
        """Value of a JavaScript expression; a promise is waited for.

        Raises:
            AssertionError: It threw.
        """
        answer = self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        thrown = answer.get("exceptionDetails")
        if thrown:
            told = thrown.get("exception", {}).get("description") or thrown["text"]
            raise AssertionError(f"{script}: {told}")
        return answer["result"].get("value")

    def wait_until(self, script: str, *, seconds: float = _PATIENCE) -> Any:
        """Wait until an expression is true, also across pages; gives its value."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                value = self.run(script)
            except (DevToolsError, AssertionError):
                # The page is just being replaced by another, or not built yet.
                value = None
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"Never came true: {script}\n{self._situation()}")
            self._pipe.hear(_BETWEEN_LOOKS)
            time.sleep(_BETWEEN_LOOKS)

    def wait_for(self, selector: str, text: str = "", *, seconds: float = _PATIENCE) -> None:
        """Wait until an element is there, and holds a text if one is given."""
        script = f"document.querySelector({json.dumps(selector)})"
        if text:
            script += f"?.innerText.includes({json.dumps(text)})"
        self.wait_until(f"!!({script})", seconds=seconds)

    def exists(self, selector: str) -> bool:
        """Whether an element is there now."""
        return bool(self.run(f"!!document.querySelector({json.dumps(selector)})"))

    def text(self, selector: str = "body") -> str:
        """What a person reads in an element, once it is there."""
        self.wait_for(selector)
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def click(self, selector: str, *, leaves: bool = False, seconds: float = _PATIENCE) -> None:
        """Click an element where it is, once it is there and nothing covers it.

        Args:
            selector: CSS selector.
            leaves: Wait until the page that was left is gone and the next one loaded.
            seconds: How long to wait for it.
        """
        x, y = self._place(selector, seconds)
        if leaves:
            self.run(f"window.{_LEFT_BEHIND} = true")
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        if leaves:
            self._wait_for_the_next_page()

    def type(self, selector: str, text: str) -> None:
        """Click into a field and type, in place of what stands there."""
        self.click(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).select?.()")
        self.send("Input.insertText", text=text)

    def press(self, key: str, *, leaves: bool = False) -> None:
        """Press a key: Tab, Enter, Escape, Space, ArrowDown, ArrowUp."""
        name, code, text = _KEYS[key]
        if leaves:
            self.run(f"window.{_LEFT_BEHIND} = true")
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=name,
                code=key,
                windowsVirtualKeyCode=code,
                **more,
            )
        if leaves:
            self._wait_for_the_next_page()

    def set_viewport(self, viewport: Viewport) -> None:
        """Give the tab another screen."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=viewport.width,
            height=viewport.height,
            deviceScaleFactor=viewport.scale,
            mobile=viewport.touch,
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=viewport.touch)

    def screenshot(self, file: Path, *, whole: bool = True) -> Path:
        """Write a PNG of the page, or of what is in view."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))
        return file

    def cookies(self) -> list[dict[str, Any]]:
        """All cookies of this person, those included that scripts cannot see."""
        found: list[dict[str, Any]] = self._pipe.ask(
            "Storage.getCookies", browserContextId=self._cookies
        )["cookies"]
        return found

    def close(self) -> None:
        """Close the tab."""
        self._pipe.ask("Target.closeTarget", targetId=self._target)

    def _place(self, selector: str, seconds: float) -> tuple[float, float]:
        self.wait_for(selector, seconds=seconds)
        deadline = time.monotonic() + seconds
        before: object = None
        while True:
            place = self.run(_PLACE % json.dumps(selector))
            # What still moves is not clicked.
            if isinstance(place, list) and place == before:
                return place[0], place[1]
            if time.monotonic() > deadline:
                raise AssertionError(f"{selector} {place}\n{self._situation()}")
            before = place
            time.sleep(_BETWEEN_LOOKS)

    def _wait_for_the_next_page(self) -> None:
        self.wait_until(f"!window.{_LEFT_BEHIND} && document.readyState === 'complete'")

    def _situation(self) -> str:
        try:
            text = self.run("document.body ? document.body.innerText.slice(0, 800) : ''")
            return f"at {self.url}\n{text}\n{self.problems}"
        except (DevToolsError, AssertionError) as error:
            return f"{error}\n{self.problems}"

    def _note(self, event: Event) -> None:
        method, about = event["method"], event["params"]
        if method == "Runtime.exceptionThrown":
            thrown = about["exceptionDetails"]
            self.problems.append(thrown.get("exception", {}).get("description") or thrown["text"])
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            said = (one.get("value", one.get("description", "")) for one in about["args"])
            self.problems.append(" ".join(map(str, said)))
        elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
            entry = about["entry"]
            self.problems.append(f"{entry['text']} {entry.get('url', '')}".strip())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a screen: cookies, screen and language of their own."""

    pipe: Pipe
    context: str
    viewport: Viewport
    language: str

    def page(self) -> Page:
        """Open an empty tab."""
        target = self.pipe.ask(
            "Target.createTarget", url="about:blank", browserContextId=self.context
        )["targetId"]
        session = self.pipe.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self.pipe, session, target, self.context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        agent = self.pipe.ask("Browser.getVersion")["userAgent"]
        page.send("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=self.language)
        page.send("Emulation.setLocaleOverride", locale=self.language.replace("-", "_"))
        page.set_viewport(self.viewport)
        return page


@dataclass(frozen=True, slots=True)
class Chromium:
    """A running browser."""

    pipe: Pipe

    def person(self, viewport: Viewport = DESKTOP, *, language: str = "en-US") -> Person:
        """Somebody who has not been here before.

        Args:
            viewport: Their screen.
            language: What `Accept-Language` says.
        """
        context = self.pipe.ask("Target.createBrowserContext", disposeOnDetach=True)
        return Person(self.pipe, context["browserContextId"], viewport, language)


@contextmanager
def browser(folder: Path) -> Iterator[Chromium]:
    """A headless Chromium until the block ends.

    Args:
        folder: For its profile and log.
    """
    pipe = Pipe(folder / "profile", folder / "chromium.log")
    try:
        pipe.ask("Browser.getVersion", seconds=60)
        yield Chromium(pipe)
    finally:
        pipe.close()
