"""Tables of codes: what is read, and every bad row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hub.messages import render
from terminology.core.shapes import CodeSystem, Designation
from terminology.loaders.csv import SYNONYM, Options, read_table
from terminology.loaders.problems import FileRefused
from tests.terminology import icd10_cn

CASES = yaml.safe_load(
    (Path(__file__).parents[2] / "cases/terminology/bad_tables.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_what_is_wrong_is_told_with_its_row_and_column(case: dict[str, Any]) -> None:
    try:
        read_table(case["table"].encode(), Options())
        found = []
    except FileRefused as error:
        problems = error.problems.in_order()
        found = [[one.row, one.column, one.message] for one in problems]
        for one in problems:
            assert one.text("en")
            assert one.text("zh") != one.text("en")
    assert found == case["problems"]


def test_all_bad_rows_are_told_up_to_a_hundred() -> None:
    table = "code,name\n" + "".join(f"C{number},\n" for number in range(250))
    with pytest.raises(FileRefused) as refused:
        read_table(table.encode(), Options())
    assert refused.value.problems.count == 250
    assert [one.row for one in refused.value.problems.found] == list(range(2, 102))


def test_bad_rows_are_left_out_on_request_and_nothing_points_at_them() -> None:
    table = "code,name,parent\nA,a,\nB,b,A\nC,c,B\nD,d,C\nE,e,D\nF,f,F\nG,,\nH,h,G\n"
    read = read_table(table.encode(), Options(keep_going=True))
    system = CodeSystem({}, read.columns)
    assert read.columns.codes == ["A", "B", "C", "D", "E", "H"]
    assert read.columns.parents == {1: [0], 2: [1], 3: [2], 4: [3]}
    assert system.find("H") == 5
    assert read.problems.rows == {7, 8}


def test_a_table_in_the_shape_of_icd_10s_chinese_edition() -> None:
    told: list[int] = []
    read = read_table(icd10_cn.table(), Options(), told.append)
    system = CodeSystem({}, read.columns)
    assert len(system) == 35_000
    assert sum(told) == 35_001
    assert (read.language, read.hierarchy, read.delimiter) == ("zh", "prefix", ",")
    assert dict(read.roles.languages) == {"en": 3}
    assert dict(read.properties) == {"附加编码": "附加编码"}
    for code, _, name, english, in_use in list(icd10_cn.rows())[::97]:
        ordinal = system.find(code)
        assert ordinal is not None
        assert system.display(ordinal) == name
        assert system.designations(ordinal) == [Designation(english, "en")]
        assert system.is_inactive(ordinal) == (in_use == "0")
        above = [system.code(one) for one in system.parents(ordinal)]
        if "x" in code:
            assert above in ([code.partition("x")[0]], [code.partition("x")[0] + "+"])
        elif len(code) > 3:
            assert above == [code[:5] if len(code) > 5 else code[:3]]
        else:
            assert above == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_encodings_and_separators_are_found_out(encoding: str, delimiter: str) -> None:
    text = "编码,名称,英文名\nA01.000x001,伤寒,Typhoid\nA02,沙门菌,Salmonella\n"
    read = read_table(text.replace(",", delimiter).encode(encoding), Options())
    assert read.columns.codes == ["A01.000x001", "A02"]
    assert read.columns.displays == ["伤寒", "沙门菌"]


def test_windows_line_ends_and_quotes_within_a_cell() -> None:
    read = read_table(b'code,name\r\nA,"say ""no"", please"\r\n\r\nB,b', Options())
    assert read.columns.displays == ['say "no", please', "b"]


def test_synonyms_definitions_and_further_columns() -> None:
    table = "代码,名称,别名,定义,拼音码\nA,甲,甲一；甲二,第一,J\nB,乙,,,\n"
    read = read_table(table.encode(), Options())
    assert read.columns.designations == {
        0: [Designation("甲一", "", SYNONYM), Designation("甲二", "", SYNONYM)]
    }
    assert read.columns.definitions == {0: "第一"}
    assert [(one.code, one.value) for one in read.columns.properties[0]] == [("拼音码", "J")]


@pytest.mark.parametrize(
    ("column", "cells", "off"),
    [
        ("有效", ["1", "0", ""], [False, True, False]),
        ("停用", ["1", "0", ""], [True, False, False]),
        ("停用", ["停用", "启用", "是"], [True, False, True]),
        ("active", ["TRUE", "false", "y"], [False, True, False]),
        ("inactive", ["TRUE", "false", "inactive"], [True, False, True]),
        ("状态", ["作废", "在用", "active"], [True, False, False]),
    ],
)
def test_what_is_out_of_use_is_inactive(column: str, cells: list[str], off: list[bool]) -> None:
    table = f"code,name,{column}\n" + "".join(f"C{n},n,{cell}\n" for n, cell in enumerate(cells))
    system = CodeSystem({}, read_table(table.encode(), Options()).columns)
    assert [system.is_inactive(ordinal) for ordinal in range(3)] == off


INSURANCE = """\
章,章代码范围,章的名称,节代码范围,节名称,类目代码,类目名称,亚目代码,亚目名称,诊断代码,诊断名称
1,A00-B99,传染病,A00-A09,肠道传染病,A00,霍乱,A00.0,霍乱甲,A00.000,古典生物型霍乱
1,A00-B99,传染病,A00-A09,肠道传染病,A00,霍乱,A00.1,霍乱乙,A00.100,埃尔托生物型霍乱
1,A00-B99,传染病,A00-A09,肠道传染病,A00,霍乱,A00.1,霍乱乙,A00.100x001,某型霍乱
1,A00-B99,传染病,A00-A09,肠道传染病,A01,伤寒,,,A01,伤寒病
"""


def test_what_stands_above_a_code_in_its_row_becomes_its_parents() -> None:
    read = read_table(INSURANCE.encode("gb18030"), Options())
    system = CodeSystem({}, read.columns)
    assert read.hierarchy == "levels"
    assert len(system) == 9

    def above(code: str) -> list[str]:
        ordinal = system.find(code)
        assert ordinal is not None
        return [system.code(one) for one in system.parents(ordinal)]

    assert above("A00.100x001") == ["A00.1"]
    assert above("A00.1") == ["A00"]
    assert above("A01") == ["A00-A09"]
    assert above("A00-A09") == ["A00-B99"]
    assert above("A00-B99") == []
    ordinal = system.find("A01")
    assert ordinal is not None
    assert system.display(ordinal) == "伤寒病"
    assert dict(read.properties) == {"章": "章"}


def test_a_row_for_what_stood_above_others_completes_it() -> None:
    table = "类目代码,类目名称,编码,名称,英文名\nA,,A1,甲一,one\nA,,A,甲,all\nA,,A,再次,again\n"
    with pytest.raises(FileRefused) as refused:
        read_table(table.encode(), Options())
    (problem,) = refused.value.problems.found
    assert (problem.row, problem.message) == (4, "terminology-code-twice")
    read = read_table(table.encode(), Options(keep_going=True))
    system = CodeSystem({}, read.columns)
    assert [system.display(one) for one in range(len(system))] == ["甲", "甲一"]
    assert system.designations(0) == [Designation("all", "en")]


def test_codes_that_are_only_numbers_make_no_hierarchy_unless_asked() -> None:
    table = b"code,name\n1,a\n11,b\n110,c\n"
    assert read_table(table, Options()).hierarchy == "none"
    read = read_table(table, Options(hierarchy="prefix"))
    assert read.columns.parents == {1: [0], 2: [1]}


def test_a_table_of_codes_only() -> None:
    read = read_table(b"code\nA\nB\n", Options())
    assert read.columns.codes == ["A", "B"]
    assert read.columns.displays == ["", ""]


def test_a_cell_of_a_hundred_megabytes_is_told_quickly() -> None:
    table = b'code,name\nA,"' + b"x" * 100_000_000
    with pytest.raises(FileRefused) as refused:
        read_table(table, Options())
    assert refused.value.problems.found[0].row == 2


def test_a_chain_of_a_hundred_thousand_parents() -> None:
    rows = "".join(f"C{n},n,C{n + 1}\n" for n in range(100_000))
    read = read_table(f"code,name,parent\n{rows}C100000,n,\n".encode(), Options())
    assert len(read.columns.parents) == 100_000
    assert len(CodeSystem({}, read.columns).below(100_000)) == 100_000


def _outcome(data: bytes, options: Options) -> list[str]:
    """Codes that are read, or what is told instead."""
    try:
        return read_table(data, options).columns.codes
    except FileRefused as error:
        return [one.text("zh") for one in error.problems.in_order()]


@given(st.binary(max_size=400), st.sampled_from(["", "gb18030"]))
def test_any_bytes_are_read_or_refused(data: bytes, encoding: str) -> None:
    assert _outcome(data, Options(encoding=encoding))


@given(st.lists(st.text('ab",\n;|=\t ', max_size=8), max_size=30))
def test_any_cells_are_read_or_refused(cells: list[str]) -> None:
    assert _outcome(("code,name,parent\n" + ",".join(cells)).encode(), Options())


def test_every_message_of_the_loaders_has_its_arguments() -> None:
    for one in ("terminology-place-row", "terminology-place-cell"):
        assert render(one, {"row": 3, "column": "编码"}, "zh").startswith("第 3 行")
