"""The words of the pages, in English and Chinese; read by `hub.rest.site` and its pages."""

from __future__ import annotations

from typing import Final, NamedTuple


class Words(NamedTuple):
    """The same words in both languages; the names are what negotiation gives."""

    en: str
    zh: str

    def to(self, language: str) -> str:
        """The words in a language, `zh` or `en`."""
        return self.zh if language == "zh" else self.en


PAGE: Final = {
    "title": Words("FHIR R4 hub", "FHIR R4 互操作中心"),
    "base": Words("FHIR base", "FHIR 地址"),
    "health": Words("health", "健康检查"),
    "metrics": Words("metrics", "运行指标"),
    "off": Words(
        "Authentication is off: everyone at this machine may read and change everything.",
        "身份验证已关闭：本机上的任何人都可以读取和修改全部数据。",
    ),
    "login": Words(
        "Requests need a token: apps get one by <a "
        'href="/fhir/.well-known/smart-configuration">SMART on FHIR</a>, a script by '
        '<code>fhir-hub token NAME</code>. <a href="/">Log in</a>.',
        '请求需要令牌：应用通过 <a href="/fhir/.well-known/smart-configuration">SMART on FHIR</a> '
        '获取，脚本用 <code>fhir-hub token 账号</code> 获取。<a href="/">登录</a>。',
    ),
    "try": Words("Try", "试一试"),
    "held": Words("What is in the record", "已有数据"),
    "empty": Words(
        "Nothing yet: <code>fhir-hub load FILES</code> or <code>fhir-hub demo</code>.",
        "暂无数据：<code>fhir-hub load 文件</code> 或 <code>fhir-hub demo</code>。",
    ),
    "interactions": Words("Interactions", "交互"),
    "formats": Words(
        "JSON and XML (<code>Accept</code> or <code>_format</code>), <code>_pretty</code>, "
        "<code>_summary</code>, <code>_elements</code>; <code>Prefer: return=minimal</code>, "
        "<code>handling=strict</code>; errors in English or Chinese by "
        "<code>Accept-Language</code>.",
        "支持 JSON 和 XML（<code>Accept</code> 或 <code>_format</code>）、<code>_pretty</code>、"
        "<code>_summary</code>、<code>_elements</code>；<code>Prefer: return=minimal</code>、"
        "<code>handling=strict</code>；错误信息按 <code>Accept-Language</code> 用中文或英文返回。",
    ),
    "request": Words("Request", "请求"),
    "meaning": Words("What it does", "作用"),
    "operations": Words("Operations", "操作"),
    "name": Words("Name", "名称"),
    "levels": Words("Level", "级别"),
    "types": Words("Types", "资源类型"),
    "all types": Words("all types", "所有类型"),
    "resource types": Words("Resource types", "资源类型"),
    "system": Words("system", "系统"),
    "type": Words("type", "类型"),
    "instance": Words("instance", "实例"),
}

NOWHERE: Final = Words(
    "There is nothing at this address. FHIR is at {base}; {site}/docs shows what there is.",
    "此地址没有内容。FHIR 地址为 {base}；{site}/docs 列出全部接口。",
)

EXAMPLES: Final = (
    ("Patient?name=明&_pretty=true", Words("Patients by part of the name", "按姓名的一部分查居民")),
    (
        "Patient?name=王&birthdate=lt1970&_pretty=true",
        Words("... and by birth date", "按姓名和出生日期查居民"),
    ),
    (
        "Observation?code=85354-9&date=ge2026-03-01&_sort=-date&_pretty=true",
        Words("Blood pressures, newest first", "血压记录，最新的在前"),
    ),
    (
        "Patient?_revinclude=Observation:subject&_count=5&_pretty=true",
        Words("Patients with their observations", "居民及其观察记录"),
    ),
    (
        "Encounter?patient.name=张&_pretty=true",
        Words("Encounters of patients found by name", "按居民姓名查就诊记录"),
    ),
    (
        "Patient?name=明&_explain=true&_pretty=true",
        Words("How a search is understood and run", "查看搜索如何被理解和执行"),
    ),
    ("metadata?_pretty=true", Words("The CapabilityStatement", "能力声明（CapabilityStatement）")),
)

INTERACTIONS: Final = {
    "search-system": Words("Search all types", "搜索所有类型"),
    "search-type": Words("Search a type", "搜索某一类型"),
    "search-compartment": Words("Search what belongs to a resource", "搜索属于某资源的内容"),
    "transaction": Words("A Bundle: transaction or batch", "提交 Bundle：事务或批处理"),
    "capabilities": Words("What the hub can do", "服务器的能力声明"),
    "history-system": Words("Changes of everything", "全部资源的变更历史"),
    "history-type": Words("Changes of a type", "某一类型的变更历史"),
    "history-instance": Words("Versions of a resource", "某资源的各个版本"),
    "operation": Words("An operation, as below", "执行操作（见下）"),
    "create": Words("Create a resource", "新建资源"),
    "read": Words("Read the current version", "读取当前版本"),
    "vread": Words("Read a version", "读取指定版本"),
    "update": Words("Replace, or create under this id", "整体更新，或以此 id 新建"),
    "update-conditional": Words("Replace what a search finds", "按搜索条件更新"),
    "patch": Words("Change parts", "局部修改"),
    "patch-conditional": Words("Change parts of what a search finds", "按搜索条件局部修改"),
    "delete": Words("Delete; versions remain", "删除（历史版本保留）"),
    "delete-conditional": Words("Delete what a search finds", "按搜索条件删除"),
}
