"""Words of the audit."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "audit-full": (
        "What is read cannot be audited just now, so it is not answered; try again later.",
        "目前无法记录审计日志，因此不予答复；请稍后再试。",
    ),
}
