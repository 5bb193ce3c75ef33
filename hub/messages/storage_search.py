"""Messages of the stores' searches."""

MESSAGES: dict[str, tuple[str, str]] = {
    "search-too-complex": (
        "The search has too many or too deeply nested criteria. Ask in several searches.",
        "搜索条件过多或嵌套过深，请拆分为多次搜索。",
    ),
}
