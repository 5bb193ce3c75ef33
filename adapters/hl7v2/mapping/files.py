"""The YAML of the maps, and a site's own maps over it.

All scalars are texts (`01`, `NO` and `1.0` stay what they are); what they mean the compiler knows
from the element they stand for. Called by `adapters.hl7v2.mapping.library`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from adapters.hl7v2.mapping.grammar import wrong
from adapters.hl7v2.sites import Site


@lru_cache(maxsize=8)
def ours(folder: str) -> Mapping[str, Any]:
    """Content of all files of a folder, by their names without `.yaml`.

    Args:
        folder: `messages`, `segments`, `datatypes` or `tables`.

    Raises:
        MapError: A file is no YAML, or not a mapping.
    """
    found: dict[str, Any] = {}
    for entry in sorted(files(__package__).joinpath(folder).iterdir(), key=lambda one: one.name):
        if not entry.name.endswith(".yaml"):
            continue
        place = f"{folder}/{entry.name}"
        try:
            content = yaml.load(entry.read_text("utf-8"), _LOADER)
        except yaml.YAMLError as error:
            raise wrong(place, "hl7v2-map-yaml", reason=str(error).replace("\n", " ")) from error
        if not isinstance(content, dict):
            raise wrong(place, "hl7v2-map-shape", wanted="mapping")
        found[entry.name.removesuffix(".yaml")] = content
    return found


def segments_of(site: Site) -> Mapping[str, Any]:
    """Segment maps with those of a site over them, element by element."""
    if not site.segments:
        return ours("segments")
    merged = dict(ours("segments"))
    for segment, maps in site.segments.items():
        known = dict(merged.get(segment, {}))
        for name, content in maps.items():
            if not isinstance(content, Mapping):
                raise wrong(
                    at(site, f"segments.{segment}.{name}"), "hl7v2-map-shape", wanted="table"
                )
            known[name] = {**known.get(name, {}), **_texts(content)}
        merged[segment] = known
    return merged


def tables_of(site: Site) -> Mapping[str, Any]:
    """Table maps with those of a site over them, code by code."""
    if not site.tables:
        return ours("tables")
    merged = dict(ours("tables"))
    for name, content in site.tables.items():
        own = _texts(content)
        if "codes" not in own:
            own = {"codes": own}
        known = dict(merged.get(name, {}))
        local = own.pop("codes")
        ours_too = known.get("codes", {})
        added = [code for code in local if code not in ours_too]
        merged[name] = {**known, **own, "codes": {**ours_too, **local}, "added": added}
    return merged


def place_of(site: Site, segment: str, name: str) -> str:
    """Where a segment map stands, for errors."""
    if segment in site.segments and name in site.segments[segment]:
        return at(site, f"segments.{segment}.{name}")
    return f"segments/{segment}.yaml {name}"


def at(site: Site, key: str) -> str:
    """Where a key of a site file stands, for errors."""
    return f"{site.file or site.name}: {key}"


def _texts(content: Any) -> Any:
    """TOML's values as the texts that YAML gives."""
    if isinstance(content, Mapping):
        return {str(key): _texts(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_texts(value) for value in content]
    if isinstance(content, bool):
        return "true" if content else "false"
    return str(content)


class _Strict(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """Texts only, and no key twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        """A mapping; a key that stands twice is an error."""
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in found:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key} stands twice", key_node.start_mark
                )
            found[key] = self.construct_object(value_node, deep=True)
        return found


_LOADER = _Strict
