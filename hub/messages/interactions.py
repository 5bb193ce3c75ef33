"""Messages of the interactions: conditions, patches, bundles, integrity, history, searches."""

MESSAGES: dict[str, tuple[str, str]] = {
    "patch-syntax": (
        "Operation {number} of the JSON Patch is malformed: {reason}.",
        "JSON Patch 的第 {number} 个操作格式不正确：{reason}。",
    ),
    "patch-path": (
        "Patch operation {number} ({op}) names {path}, which is not there.",
        "补丁操作 {number}（{op}）指向的 {path} 不存在。",
    ),
    "patch-test-failed": (
        "Patch operation {number}: the value at {path} is not the one that test expects.",
        "补丁操作 {number}：{path} 处的值与 test 期望的值不同。",
    ),
    "patch-too-big": (
        "Patch operation {number} ({op}) at {path} makes the resource too big or too deep.",
        "补丁操作 {number}（{op}，{path}）使资源过大或嵌套过深。",
    ),
    "patch-not-a-resource": (
        "What the patch leaves is not a resource.",
        "应用补丁后的结果不是资源。",
    ),
}
