"""Words of the audit."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "audit-full": (
        "What is read cannot be audited just now, so it is not answered; try again later.",
        "目前无法记录审计日志，因此不予答复；请稍后再试。",
    ),
    "audit-append-only": (
        "{type}/{id} is told by the audit chain; nobody can write it.",
        "{type}/{id} 由审计链生成，任何人都不能写入。",
    ),
    "audit-sort": (
        "These are stored {type} resources only: what the hub's audit tells comes newest first, "
        "by _sort=-date (Provenance: -recorded) or -_lastUpdated alone.",
        "这里只有已存储的 {type} 资源：本平台审计所生成的内容只能按时间从新到旧检索，"
        "即单独使用 _sort=-date（Provenance 为 -recorded）或 -_lastUpdated。",
    ),
    "audit-backwards": (
        "These are stored {type} resources only: what the hub's audit tells is not found by _has "
        "or _list.",
        "这里只有已存储的 {type} 资源：本平台审计所生成的内容不支持 _has 或 _list 检索。",
    ),
}
