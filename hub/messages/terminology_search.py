"""Messages of searches by `:in`, `:not-in`, `:above` and `:below`."""

MESSAGES: dict[str, tuple[str, str]] = {
    "search-concept-system": (
        "Modifier {modifier} needs a code with its system: system|code.",
        "修饰符 {modifier} 需要带系统的编码：system|code。",
    ),
    "search-system-unknown": (
        "There is no code system {system}; load it first (fhir-hub terminology load).",
        "没有代码系统 {system}；请先载入（fhir-hub terminology load）。",
    ),
    "search-code-unknown": (
        "Code system {system} has no code {code}.",
        "代码系统 {system} 中没有编码 {code}。",
    ),
    "search-too-many-codes": (
        "It stands for {total} codes, and {most} can be searched for. Narrow it.",
        "它代表 {total} 个编码，而一次最多搜索 {most} 个。请缩小范围。",
    ),
}
