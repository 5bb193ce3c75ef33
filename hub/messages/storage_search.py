"""Messages of the stores' searches."""

MESSAGES: dict[str, tuple[str, str]] = {
    "search-too-complex": (
        "The search has too many or too deeply nested criteria. Ask in several searches.",
        "搜索条件过多或嵌套过深，请拆分为多次搜索。",
    ),
    "search-text-invalid": (
        "A value of the search is not Unicode text: it holds half of a surrogate pair.",
        "搜索值不是有效的 Unicode 文本：其中含有不成对的代理字符。",
    ),
}
