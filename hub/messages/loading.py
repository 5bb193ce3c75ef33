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
    "load-xml-broken": (
        "The XML ends or breaks near line {line}; what came before it was loaded.",
        "XML 在第 {line} 行附近中断或出错；此前的内容已载入。",
    ),
    "load-gzip-broken": (
        "The compressed file is damaged or cut short; what came before that was loaded.",
        "压缩文件已损坏或被截断；此前的内容已载入。",
    ),
    "load-unreadable": (
        "The file cannot be read: {reason}.",
        "无法读取文件：{reason}。",
    ),
    "load-no-type": (
        "A resource to load needs a resourceType that R4 knows.",
        "要载入的资源必须有 R4 认识的 resourceType。",
    ),
    "load-base64": (
        "The content is no base64 without line breaks.",
        "内容不是不带换行的 base64。",
    ),
    "load-circle": (
        "It refers in a circle to other resources, one of which was rejected.",
        "它与其他资源循环引用，而其中之一被拒绝。",
    ),
    "load-bundle-type": (
        "A Bundle of type {type} cannot be loaded; transaction, batch, collection, searchset, "
        "document and message can.",
        "无法载入 {type} 类型的 Bundle；可载入的类型有 transaction、batch、collection、"
        "searchset、document 和 message。",
    ),
}
