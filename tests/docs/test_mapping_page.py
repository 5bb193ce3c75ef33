"""The page of the map language shows what comes out."""

from __future__ import annotations

import re
from pathlib import Path

from adapters.hl7v2.shown import messages_in, show
from adapters.hl7v2.sites import Site, read_site
from adapters.hl7v2.to_fhir import convert

PAGE = Path(__file__).parents[2] / "docs" / "hl7v2" / "mapping.md"


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def shown(site: Site) -> list[str]:
    """The lines that `fhir-hub v2 test` shows, without their spacing."""
    (message,) = messages_in(blocks("hl7")[0].encode(), site)
    converted = convert(message, site, 0, trace=True)
    return [" ".join(line.split()) for line in show(converted, message, "en")]


def expected(block: str) -> list[str]:
    """The lines of the page, without their spacing."""
    return [" ".join(line.split()) for line in block.splitlines()]


def test_without_the_site_it_shows_the_remarks() -> None:
    assert shown(Site())[-2:] == expected(blocks("text")[0])


def test_with_the_site_it_shows_each_element_with_its_field(tmp_path: Path) -> None:
    file = tmp_path / "central.toml"
    file.write_text(blocks("toml")[0], "utf-8")
    lines = shown(read_site(file, zone="Asia/Shanghai"))
    for line in expected(blocks("text")[1]):
        assert line in lines
    assert not any(line.startswith(("PID-8:", "ZPD:")) for line in lines)
