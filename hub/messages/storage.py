"""Messages of the store: unavailable, or not known to have stored."""

MESSAGES: dict[str, tuple[str, str]] = {
    "store-unavailable": (
        "The record cannot be written or read at the moment ({reason}); nothing was stored. "
        "Try again later.",
        "暂时无法读写记录（{reason}）；没有存储任何内容。请稍后重试。",
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
