"""Everything that can be called or set has its page, and the pages hold together."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from urllib.parse import unquote

import pytest

from hub.cli import app
from hub.messages import catalogue
from hub.operations import OPERATIONS
from hub.rest.routes import ROUTES
from hub.settings import Settings
from tests.docs.pages import DOCS, ROOT, pages, prose

_INTERACTIONS = sorted(DOCS.glob("interactions/*.md"))
_DECISIONS = sorted(DOCS.glob("adr/[0-9]*.md"))
_PAGE_OF = {
    "operation": None,
    "search-system": "search",
    "search-type": "search",
    "search-compartment": "search",
    "history-instance": "history",
    "history-type": "history",
    "history-system": "history",
    "update-conditional": "conditional",
    "patch-conditional": "conditional",
    "delete-conditional": "conditional",
}
"""Interaction to the page that it has; without an entry: the one of its name."""

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_MESSAGE_CELL = re.compile(r"`([a-z][a-z0-9]*(?:-[a-z0-9]+)+)`")
_LONGEST = 80


def _anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in _HEADING.findall(page.read_text(encoding="utf-8")):
        plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(plain.replace(" ", "-"))
    return found


def _headings(*pages: Path) -> str:
    return "\n".join(
        heading for page in pages for heading in _HEADING.findall(page.read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize(
    "name", sorted({one.name for route in ROUTES for one in route.methods.values()})
)
def test_every_interaction_has_its_page(name: str) -> None:
    page = _PAGE_OF.get(name, name)
    if page is not None:
        assert (DOCS / f"interactions/{page}.md").exists()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_has_its_page(name: str) -> None:
    found = _headings(*DOCS.glob("operations/*.md"))
    assert re.search(rf"\${re.escape(name)}(?![\w-])", found)


@pytest.mark.parametrize("name", [command.name for command in app.registered_commands])
def test_every_command_has_its_entry(name: str) -> None:
    assert re.search(rf"\b{re.escape(name)}\b", _headings(DOCS / "cli.md"))


@pytest.mark.parametrize("name", [item.name for item in fields(Settings)])
def test_every_setting_has_its_entry(name: str) -> None:
    assert f"`HUB_{name.upper()}`" in (DOCS / "settings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        target, _, anchor = unquote(link).partition("#")
        if "://" in target:
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), link
        assert ROOT in file.parents, link
        if anchor:
            assert anchor in _anchors(file), link


def test_every_page_is_reached_from_the_index() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.exists():
            continue
        seen.add(page)
        for link in _LINK.findall(prose(page)):
            target = link.partition("#")[0]
            if target.endswith(".md") and "://" not in target:
                waiting.append((page.parent / target).resolve())
            elif target.endswith("/"):
                waiting.append((page.parent / target / "README.md").resolve())
    assert set(pages()) <= seen


@pytest.mark.parametrize("page", _INTERACTIONS, ids=lambda page: page.stem)
def test_a_page_of_an_interaction_is_short_and_cites_the_specification(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= _LONGEST
    assert "https://hl7.org/fhir/R4/" in text


@pytest.mark.parametrize(
    "page",
    [*_INTERACTIONS, DOCS / "errors.md", DOCS / "search.md", DOCS / "validation.md"],
    ids=lambda page: page.stem,
)
def test_messages_that_a_page_names_exist(page: Path) -> None:
    """In tables, where a row gives a status its message ids."""
    for line in prose(page).splitlines():
        cells = line.split("|")[1:-1]
        if len(cells) == 3 and re.fullmatch(r"[\d, ]+", cells[0]):
            for name in _MESSAGE_CELL.findall(cells[1]):
                assert name in catalogue(), line


@pytest.mark.parametrize("page", _DECISIONS, ids=lambda page: page.stem)
def test_a_decision_says_why_and_what_follows(page: Path) -> None:
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    assert [heading for heading in headings if heading in ("Context", "Decision")] == [
        "Context",
        "Decision",
    ]
    assert headings[-1] == "Consequences"


def test_decisions_are_numbered_and_listed() -> None:
    numbers = [int(page.stem[:4]) for page in _DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(_DECISIONS) + 1 == len(list(DOCS.glob("adr/*.md")))
    index = (DOCS / "adr/README.md").read_text(encoding="utf-8")
    for page in _DECISIONS:
        title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"| [{page.stem[:4]}]({page.name}) | {title} |" in index
