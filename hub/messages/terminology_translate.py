"""Messages of $translate."""

MESSAGES: dict[str, tuple[str, str]] = {
    "translate-nothing": (
        "There is nothing to translate: give code and system, coding or codeableConcept.",
        "没有要转换的内容：请给出 code 和 system，或 coding、codeableConcept。",
    ),
    "translate-no-map": (
        "There is no ConceptMap {url}.",
        "没有 ConceptMap {url}。",
    ),
    "translate-none": (
        "No concept map says what {code} is.",
        "概念映射中没有 {code} 的对应编码。",
    ),
    "translate-no-map-fits": (
        "No concept map is for {code}; name one by url, or check system, source and target.",
        "没有适用于 {code} 的概念映射；请用 url 指明，或检查 system、source 和 target。",
    ),
}
