"""Words that stand inside a message as an argument, English to Chinese.

What is the same in both languages, such as `system|code` or `0, 1, 2 ...`, has no line here.
"""

from hub.messages.parser_phrases import PARSER_PHRASES

PHRASES: dict[str, str] = {
    **PARSER_PHRASES,
    # What a principal may not do
    "create": "创建",
    "read": "读取",
    "change": "修改",
    "delete": "删除",
    "search": "检索",
    # What a search parameter or a history expects
    "a date as 2026, 2026-03, 2026-03-01 or 2026-03-01T08:00:00+08:00": (
        "日期，如 2026、2026-03、2026-03-01 或 2026-03-01T08:00:00+08:00"
    ),
    "a number": "数字",
    "a url: urns have no hierarchy": "url（urn 没有层级）",
    "a value without |": "不含 | 的值",
    "an id": "id",
    "an id, Type/id or a url": "id、Type/id 或 url",
    "an instant, as 2026-03-01T02:00:00+08:00": "instant，如 2026-03-01T02:00:00+08:00",
    "a date or dateTime": "date 或 dateTime",
    "a whole number": "整数",
    "code, system|code, |code or system|": "code、system|code、|code 或 system|",
    "latitude|longitude|distance|unit in degrees and a UCUM unit of length": (
        "latitude|longitude|distance|unit，经纬度以度为单位，距离用 UCUM 长度单位"
    ),
    "names of elements": "元素名称",
    "number, number|system|code or number||code": "number、number|system|code 或 number||code",
    "one word or more": "一个或多个词",
    "some text": "一段文字",
    "the id of a List": "List 的 id",
    "true or false": "true 或 false",
    "value, system|value, |value or system|": "value、system|value、|value 或 system|",
    # What _filter expects
    "a JSON string": "JSON 字符串",
    "a closing quotation mark": "结束的引号",
    "a search parameter": "搜索参数",
    "a space": "空格",
    "a value": "值",
    "an operator": "运算符",
    "and, or, or the end": "and、or 或结尾",
    "one of {names}": "以下之一：{names}",
    # Why request.url does not fit
    "missing": "缺少",
    "not relative to this server": "不是相对于本服务器的地址",
    "an empty path segment": "路径中有空的部分",
    "no interaction has this path": "没有这个路径的交互",
    "an id and a query exclude each other": "id 与查询不能同时使用",
    "an id or a query is needed": "需要 id 或查询",
    "no resource type of R4": "不是 R4 的资源类型",
    # Why a patch is malformed
    "not an array": "不是数组",
    "not an object": "不是对象",
    "op must be add, remove, replace, move, copy or test": (
        "op 必须是 add、remove、replace、move、copy 或 test"
    ),
    "value is missing": "缺少 value",
    "path or from is not a JSON pointer": "path 或 from 不是 JSON Pointer",
    "a pointer is too deep": "指针层级过深",
    "not named operation": "名称不是 operation",
    "a part is unknown or repeated": "有 part 未知或重复",
    "type must be add, insert, delete, replace or move": (
        "type 必须是 add、insert、delete、replace 或 move"
    ),
    "{type} needs {names}": "{type} 需要 {names}",
    "{name} must be a valueString or valueCode": "{name} 必须是 valueString 或 valueCode",
    "{name} must be a valueInteger of 0 or more": "{name} 必须是不小于 0 的 valueInteger",
    "a part of the value has no name": "值的某个 part 没有 name",
    "value has no content": "value 没有内容",
    # Why the record cannot be written or read
    "the disk is full": "磁盘已满",
    "the disk fails": "磁盘故障",
    "a row of the audit chain is damaged; `audit verify` tells more": (
        "审计链中有一行已损坏；`audit verify` 可查看详情"
    ),
    "the database file is damaged; put a backup in its place": "数据库文件已损坏，请恢复备份",
    "a row of the database is damaged; put a backup in its place": (
        "数据库中有一行已损坏，请恢复备份"
    ),
    "a blob's file is missing": "缺少一个附件文件",
    "a blob's file is shorter than its row says": "一个附件文件不完整",
    "the database file is missing or empty; put a backup in its place, or serve another folder": (
        "数据库文件缺失或为空，请恢复备份，或使用其他文件夹"
    ),
    "a restore into this folder was broken off; run it again": (
        "向此文件夹的恢复操作曾中断，请重新执行"
    ),
    "too much is written meanwhile; run it again at a quieter time": (
        "期间写入过多，请在空闲时重新执行"
    ),
    "the database file cannot be opened": "无法打开数据库文件",
    "the database file cannot be written": "无法写入数据库文件",
    "memory is used up": "内存不足",
    "the database is busy": "数据库忙",
    "the store is closed": "存储已关闭",
    "too many commits are waiting": "等待提交的请求过多",
    "the writer is gone": "写入进程已退出",
    "the writer does not answer": "写入进程没有响应",
    "the request is too large to send to the writer": "请求过大，无法发送给写入进程",
}
