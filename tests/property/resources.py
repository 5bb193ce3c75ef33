"""Hypothesis strategies that make resources of any R4 type from the definitions.

They are right in structure, types and formats, and small; required bindings and invariants are
not looked at. For round-trip tests of JSON and XML.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hub.definitions import Element, resource_types, type_definition, type_kind

TEXT = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc", "Cn"),
        include_characters="\t\n\r",
        exclude_characters="\x7f",
    ),
    min_size=1,
    max_size=12,
).filter(str.strip)
NUMBER = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-999, max_value=999)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "unsignedInt": st.integers(0, 2**31 - 1),
    "positiveInt": st.integers(1, 2**31 - 1),
    "decimal": st.one_of(NUMBER, st.integers(-1000, 1000)),
    "string": TEXT,
    "markdown": TEXT,
    "uri": st.sampled_from(["urn:oid:1.2", "http://example.org/a?b=c&d=<e>#f"]),
    "url": st.just("http://example.org/x"),
    "canonical": st.just("http://example.org/x|1.0"),
    "oid": st.just("urn:oid:1.2.3"),
    "uuid": st.just("urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"),
    "id": st.from_regex(r"[A-Za-z0-9\-.]{1,64}", fullmatch=True),
    "code": st.sampled_from(["a", "b c"]),
    "base64Binary": st.sampled_from(["AQID", "AAAA"]),
    "date": st.sampled_from(["2026", "2026-03", "2026-03-01"]),
    "dateTime": st.sampled_from(["2026", "2026-03-01T02:00:00+08:00", "2026-03-01T02:00:00.10Z"]),
    "instant": st.just("2026-03-01T02:00:00.123+08:00"),
    "time": st.just("12:30:00"),
}
DIV = st.sampled_from(
    [
        '<div xmlns="http://www.w3.org/1999/xhtml">a</div>',
        '<div xmlns="http://www.w3.org/1999/xhtml"><p class="x">&lt;张三&gt; &amp;<br/></p></div>',
    ]
)
ELEMENT_ID = st.integers(0, 10**9).map(lambda number: f"e{number}")
EXTRA = st.one_of(
    st.fixed_dictionaries({"id": ELEMENT_ID}),
    st.fixed_dictionaries(
        {
            "extension": st.lists(
                st.fixed_dictionaries({"url": st.just("http://e"), "valueString": TEXT}),
                min_size=1,
                max_size=2,
            )
        }
    ),
)
DEEPEST = 3


def _rows(path: str) -> list[Element]:
    elements = type_definition(path.partition(".")[0]).elements
    return [row for row in elements if row.path.rpartition(".")[0] == path]


@st.composite
def _primitive(draw: st.DrawFn, row: Element, name: str, code: str) -> dict[str, Any]:
    """The property, its `_` companion, or both."""
    value = PRIMITIVES[code]
    if row.max == 1:
        form = draw(st.integers(0, 3))
        made = {name: draw(value)} if form < 3 else {}
        return made | ({f"_{name}": draw(EXTRA)} if form > 1 else {})
    count = draw(st.integers(1, 2))
    values = [draw(value) for _ in range(count)]
    if not draw(st.booleans()):
        return {name: values}
    extras = [draw(st.one_of(st.none(), EXTRA)) for _ in values]
    if all(extra is None for extra in extras):
        extras[0] = draw(EXTRA)
    kept = [
        None if extra and draw(st.booleans()) else v
        for v, extra in zip(values, extras, strict=True)
    ]
    return {name: kept, f"_{name}": extras}


@st.composite
def _complex(draw: st.DrawFn, path: str, depth: int) -> dict[str, Any]:
    """An object with all it must hold and some of what it may, in the definitions' order."""
    rows = _rows(path)
    wanted = draw(
        st.lists(st.sampled_from(rows), min_size=1, max_size=4, unique_by=lambda row: row.path)
    )
    made: dict[str, Any] = {}
    for row in rows:
        if row.min > 0 or (row in wanted and (depth < DEEPEST or _is_flat(row))):
            made.update(draw(_property(row, depth)))
    return made or draw(_property(next(row for row in rows if row.name == "id"), depth))


def _is_flat(row: Element) -> bool:
    return all(type_kind(kind.code) == "primitive-type" for kind in row.types) and bool(row.types)


@st.composite
def _property(draw: st.DrawFn, row: Element, depth: int) -> dict[str, Any]:
    name, code, path = row.name, "BackboneElement", row.content_reference or row.path
    if row.content_reference is None:
        code = draw(st.sampled_from(row.types)).code
        path = row.path if code in ("BackboneElement", "Element") else code
        name += code[0].upper() + code[1:] if row.is_choice else ""
    if row.is_xml_attribute:
        return {name: draw(ELEMENT_ID if name == "id" else st.sampled_from(["x1", "urn:u"]))}
    if code == "xhtml":
        return {name: draw(DIV)}
    if type_kind(code) == "primitive-type":
        return draw(_primitive(row, name, code))
    value = resources(depth + 1) if code == "Resource" else _complex(path, depth + 1)
    if row.max == 1:
        return {name: draw(value)}
    return {name: draw(st.lists(value, min_size=1, max_size=2))}


@st.composite
def resources(draw: st.DrawFn, depth: int = 0, types: tuple[str, ...] = ()) -> dict[str, Any]:
    """A resource in its JSON form.

    Args:
        draw: Given by Hypothesis.
        depth: How deep it stands in another one.
        types: Types to choose from; all if empty.
    """
    name = draw(st.sampled_from(types or resource_types()))
    return {"resourceType": name} | draw(_complex(name, depth))
