"""The pages of docs/, and the examples in them as requests with their answers.

An example is a fenced block `http`: a request, and in the next such block what was answered.
`...` in an answer stands for anything; white space does not count. In a table whose header
begins with `| Search | Finds |` each row is a search and the ids it finds. Han letters and
spaces in a URL stand for their percent-encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_REQUEST = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S.*)")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer.

    Attributes:
        start: Its first line.
        headers: Names in lower case.
        body: "" for none.
    """

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True, slots=True)
class Example:
    """A request and what it is answered by; None: any success."""

    request: Message
    answer: Message | None

    @property
    def method(self) -> str:
        """HTTP method."""
        return self.request.start.partition(" ")[0]

    @property
    def path(self) -> str:
        """Path and query, percent-encoded."""
        return encoded(self.request.start.partition(" ")[2])


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of a table of searches: ids found, or status and message id of a refusal."""

    search: str
    found: tuple[str, ...]


def encoded(url: str) -> str:
    """A URL as it is sent."""
    return quote(url, safe="/?&=:$|,*[]%@()+;!~'\"")


def pages() -> list[Path]:
    """All pages of the documentation, and those at the top of the project."""
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def examples(page: Path) -> Iterator[Example]:
    """The examples of a page, in order."""
    request: Message | None = None
    for language, text in _FENCE.findall(page.read_text(encoding="utf-8")):
        if language != "http":
            continue
        message = _message(text)
        if _REQUEST.fullmatch(message.start):
            if request is not None:
                yield Example(request, None)
            request = message
        elif request is not None:
            yield Example(request, message)
            request = None
    if request is not None:
        yield Example(request, None)


def _message(text: str) -> Message:
    head, _, body = text.rstrip("\n").partition("\n\n")
    start, *lines = head.split("\n")
    headers = (line.partition(":") for line in lines)
    return Message(
        start, tuple((name.strip().lower(), value.strip()) for name, _, value in headers), body
    )


def findings(page: Path) -> Iterator[Finding]:
    """The rows of the page's tables of searches."""
    is_table = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            is_table = False
        elif line.startswith("| Search | Finds |"):
            is_table = True
        elif is_table and not line.startswith("| ---"):
            search, found = re.split(r"(?<!\\)\|", line)[1:3]
            url = _CODE.findall(search.replace("\\|", "|"))[0]
            yield Finding(url, tuple(_CODE.findall(found)))


def matches(written: str, answered: str) -> bool:
    """Whether an answer is the one that is written, `...` standing for anything."""
    pieces = ("".join(piece.split()) for piece in written.split("..."))
    pattern = ".*?".join(re.escape(piece) for piece in pieces)
    return re.fullmatch(pattern, "".join(answered.split()), re.DOTALL) is not None
