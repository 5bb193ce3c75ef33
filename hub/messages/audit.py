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
        "{type} is searched newest first; only _sort=-date (Provenance: -recorded) or "
        "-_lastUpdated alone is possible.",
        "{type} 按时间从新到旧检索；只能单独使用 _sort=-date（Provenance 为 -recorded）"
        "或 -_lastUpdated。",
    ),
    "audit-backwards": (
        "{type} cannot be searched by _has or _list.",
        "{type} 不支持 _has 或 _list 检索。",
    ),
}
