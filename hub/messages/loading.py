"""Messages of the `load` command."""

MESSAGES: dict[str, tuple[str, str]] = {
    "load-item-too-large": (
        "The item is larger than {limit} bytes; split it, or raise HUB_BODY_LIMIT.",
        "该条目超过 {limit} 字节；请拆分，或调大 HUB_BODY_LIMIT。",
    ),
    "load-json-broken": (
        "The JSON ends or breaks near byte {offset}; what came before it was loaded.",
        "JSON 在第 {offset} 字节附近中断或出错；此前的内容已载入。",
    ),
    "load-no-id": (
        "A resource to load needs a resourceType that R4 knows.",
        "要载入的资源必须有 R4 认识的 resourceType。",
    ),
}
