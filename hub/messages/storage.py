"""Messages of the store: unavailable, or not known to have stored."""

MESSAGES: dict[str, tuple[str, str]] = {
    "store-unavailable": (
        "The record cannot be written or read at the moment ({reason}); nothing was stored. "
        "Try again later.",
        "暂时无法读写记录（{reason}）；没有存储任何内容。请稍后重试。",
    ),
    "store-full": (
        "The disk of the server is full; nothing was stored. Reading goes on. The administrator "
        "has to make room; then send this again.",
        "服务器磁盘已满；没有存储任何内容。读取不受影响。请管理员清理空间后重新发送。",
    ),
    "store-damaged": (
        "The storage of the record is damaged ({reason}); nothing was stored. What is not affected "
        "can still be read. The administrator finds out more with fhir-hub check.",
        "记录的存储已损坏（{reason}）；没有存储任何内容。未受影响的部分仍可读取。"
        "管理员可用 fhir-hub check 查看详情。",
    ),
    "resource-damaged": (
        "The stored content of {type}/{id} is damaged and cannot be shown. The administrator finds "
        "out more with fhir-hub check, and has to put a backup in its place.",
        "{type}/{id} 的存储内容已损坏，无法显示。"
        "管理员可用 fhir-hub check 查看详情，并需恢复备份。",
    ),
    "store-uncertain": (
        "The record failed while storing ({reason}); whether this was stored is not known. "
        "Read it back before you send it again.",
        "存储时发生故障（{reason}）；无法确定是否已存储。请先读取确认，再决定是否重新发送。",
    ),
    "blob-missing": (
        "The content to store is not here any more; send it again.",
        "要存储的内容已不存在，请重新发送。",
    ),
}
