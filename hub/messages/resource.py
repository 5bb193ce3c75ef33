"""Messages about resources as a whole: absent, gone, in conflict."""

MESSAGES: dict[str, tuple[str, str]] = {
    "resource-not-found": (
        "No {type} with id {id} is known here.",
        "没有 id 为 {id} 的 {type}。",
    ),
    "resource-gone": ("{type}/{id} was deleted.", "{type}/{id} 已被删除。"),
    "version-not-found": (
        "{type}/{id} has no version {version}.",
        "{type}/{id} 没有版本 {version}。",
    ),
}
