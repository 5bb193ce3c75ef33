"""Messages of `fhir-hub terminology load`: what is wrong with a file and what to do."""

MESSAGES: dict[str, tuple[str, str]] = {
    "terminology-place-row": ("row {row}: ", "第 {row} 行："),
    "terminology-place-cell": ("row {row}, column {column}: ", "第 {row} 行，{column} 列："),
    # --- the file ---
    "terminology-empty": (
        "The file is empty. Save the table again.",
        "文件是空的。请重新保存该表格。",
    ),
    "terminology-file-large": (
        "The file is over {limit} MiB. Split it, or leave columns out that are not needed.",
        "文件超过 {limit} MiB。请拆分文件，或删去不需要的列。",
    ),
    "terminology-spreadsheet": (
        "This is a spreadsheet. Save it as CSV (UTF-8) and load that file.",
        "这是电子表格文件。请先另存为 CSV（UTF-8），再载入该文件。",
    ),
    "terminology-encoding": (
        "The file is neither UTF-8 nor GB18030 (byte {byte}). Save it as CSV (UTF-8), or name its "
        "encoding with --encoding.",
        "文件既不是 UTF-8 也不是 GB18030（第 {byte} 字节）。请另存为 CSV（UTF-8），"
        "或用 --encoding 指明编码。",
    ),
    "terminology-encoding-wrong": (
        "The file is not {name} (byte {byte}). Leave --encoding out to have it found out.",
        "文件不是 {name} 编码（第 {byte} 字节）。不写 --encoding 即可自动识别。",
    ),
    "terminology-encoding-unknown": (
        "No encoding is called {name}. utf-8, gb18030 and big5 are some that are known.",
        "没有名为 {name} 的编码。可用的有 utf-8、gb18030、big5 等。",
    ),
    "terminology-delimiter": (
        "--delimiter takes one character, or the word tab.",
        "--delimiter 只接受一个字符或单词 tab。",
    ),
    "terminology-hierarchy": (
        "--hierarchy takes auto, prefix or none.",
        "--hierarchy 的取值为 auto、prefix 或 none。",
    ),
    "terminology-no-rows": (
        "The table has a header and no rows.",
        "表格只有表头，没有数据行。",
    ),
    "terminology-too-many-rows": (
        "There are more than {limit} rows. Split the file.",
        "超过 {limit} 行。请拆分文件。",
    ),
    "terminology-quote": (
        "A quotation mark does not fit ({reason}). Put a cell that holds quotation marks between "
        'quotation marks and double those within: "he said ""no""".',
        '引号不配对（{reason}）。含引号的单元格须整体用引号括起，其中的引号写两次："甲""乙""丙"。',
    ),
    # --- the header ---
    "terminology-columns-syntax": (
        "--columns is written as code=NAME,display=NAME,en=NAME; {part} does not fit.",
        "--columns 的写法是 code=列名,display=列名,en=列名；{part} 不符合。",
    ),
    "terminology-columns-twice": (
        "--columns gives the column {column} two meanings. Leave one out.",
        "--columns 给列 {column} 指定了两种含义。请删去一种。",
    ),
    "terminology-columns-repeat": (
        "Two columns are called {column}. Rename one.",
        "有两列都叫 {column}。请给其中一列改名。",
    ),
    "terminology-column-missing": (
        "There is no column {column}. There are: {header}.",
        "没有列 {column}。现有的列：{header}。",
    ),
    "terminology-no-code-column": (
        "No column is known to hold the codes; there are: {header}. Say which one: "
        "--columns code=NAME,display=NAME.",
        "看不出哪一列是编码；现有的列：{header}。请指明：--columns code=列名,display=列名。",
    ),
    # --- cells ---
    "terminology-too-many-cells": (
        "There are {found} cells, the header has {wanted}. Put a cell that holds the separator "
        "between quotation marks.",
        "有 {found} 个单元格，表头只有 {wanted} 个。含分隔符的单元格须用引号括起。",
    ),
    "terminology-formula": (
        "{cell} is a formula. Save the values of the table instead of its formulas.",
        "{cell} 是公式。请把公式改为数值后再保存。",
    ),
    "terminology-cell-error": (
        "{cell} is the error of a formula. Mend it in the spreadsheet and save again.",
        "{cell} 是公式错误。请在电子表格中改正后重新保存。",
    ),
    "terminology-cell-long": (
        "It is longer than {limit} characters. Shorten it; is a quotation mark left open before?",
        "超过 {limit} 个字符。请缩短；也可能是前面的引号没有闭合。",
    ),
    "terminology-control": (
        "It holds the control character {name}. Remove it.",
        "含有控制字符 {name}。请删除。",
    ),
    "terminology-no-code": (
        "The code is missing. Fill it in, or remove the row.",
        "缺少编码。请补上，或删去该行。",
    ),
    "terminology-no-display": (
        "The name is missing. Fill it in, or remove the row.",
        "缺少名称。请补上，或删去该行。",
    ),
    "terminology-code-space": (
        "The code {code} holds a line break, a tab or several spaces. Remove them.",
        "编码 {code} 含有换行、制表符或连续空格。请删除。",
    ),
    "terminology-code-number": (
        "{code} is a number that a spreadsheet has rounded. Format the column as text before the "
        "codes are filled in.",
        "{code} 是被电子表格取整过的数字。请先把该列设为文本格式，再填入编码。",
    ),
    "terminology-code-twice": (
        "The code {code} stands in row {first} already. Remove one of the two rows.",
        "编码 {code} 在第 {first} 行已出现。请删去其中一行。",
    ),
    "terminology-status": (
        "{cell} is neither in use nor out of use. Write 1 or 0, 是 or 否, active or inactive.",
        "{cell} 看不出是启用还是停用。请写 1 或 0、是或否、启用或停用。",
    ),
    "terminology-parent-self": (
        "The concept is its own parent. Name the concept above it, or leave the cell empty.",
        "该条目的上级是它自己。请填它的上级编码，或留空。",
    ),
    "terminology-parent-unknown": (
        "There is no code {code} in this file. Correct the cell, or leave it empty.",
        "文件中没有编码 {code}。请改正，或留空。",
    ),
    "terminology-parent-cycle": (
        "The parents go in a circle: {path}. Correct one of them.",
        "上级关系成环：{path}。请改正其中一个。",
    ),
    # --- the record ---
    "terminology-url": (
        "{url} is no canonical url of a code system. It begins with http://, https:// or urn:, "
        "and has no blank, | or #.",
        "{url} 不能作为代码系统的规范 URL。它应以 http://、https:// 或 urn: 开头，"
        "且不含空格、| 或 #。",
    ),
    "terminology-version": (
        "--version is a word of at most 64 characters without blanks or |, as 2.0 or 2024-01.",
        "--version 最多 64 个字符，不含空格或 |，如 2.0 或 2024-01。",
    ),
    "terminology-several": (
        "{count} CodeSystems have this url and version. Delete all but one of them first.",
        "有 {count} 个 CodeSystem 使用这个 url 和版本。请先删除多余的，只留一个。",
    ),
    "terminology-too-large": (
        "The concepts take {size} MiB, and HUB_BINARY_LIMIT allows {limit} MiB. Raise it.",
        "这些条目需要 {size} MiB，而 HUB_BINARY_LIMIT 只允许 {limit} MiB。请调大该设置。",
    ),
}
