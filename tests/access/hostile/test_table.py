"""Every hostile case of the front door has its test."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

_ACCESS = Path(__file__).parents[1]
_TABLE = _ACCESS.parent / "cases/access/hostile.toml"
_CASES = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["case"]


@pytest.mark.parametrize("case", _CASES, ids=[case["attack"] for case in _CASES])
def test_every_hostile_case_has_a_test(case: dict[str, list[str]]):
    assert case["tests"]
    for named in case["tests"]:
        file, _, name = named.partition("::")
        tree = ast.parse((_ACCESS / file).read_text(encoding="utf-8"))
        functions = ast.FunctionDef, ast.AsyncFunctionDef
        assert name in {one.name for one in tree.body if isinstance(one, functions)}, named
