"""Searches answered by brute force: each parameter's expression over each resource.

Nothing of the hub's index is used: values are what FHIRPath selects, matching is written anew
from https://hl7.org/fhir/R4/search.html, over lists. `Oracle.ask` draws a search whose values
occur in the data; its `finds` tells of any resource whether it should be found.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hub.definitions import SearchParameter, search_parameters, search_parameters_of
from hub.fhirpath import Environment, Item
from hub.fhirpath import compile as compile_expression
from hub.model.quantity import canonical
from hub.search.traits import targets_of

Resource = dict[str, Any]
Elements = list[Item]
Found = Callable[[Resource], bool]
Test = Callable[[Elements], bool]

ZONE = ZoneInfo("Asia/Shanghai")
BASE = "http://127.0.0.1:8080/fhir"
LEFT_OUT = frozenset(["_text", "_content", "_list", "_query", "_filter", "near", "_in"])
_CASELESS = ("Coding", "ContactPoint", "string")


@dataclass(frozen=True, slots=True)
class Asked:
    """A search parameter as in a URL, and what it means."""

    name: str
    text: str
    finds: Found


class ByType:
    """Resolves any reference to an empty resource of the type that it names."""

    def resolve(self, reference: str) -> Resource | None:
        """What `where(resolve() is Patient)` needs."""
        parts = reference.partition("#")[0].split("/")
        if "_history" in parts:
            parts = parts[: parts.index("_history")]
        return {"resourceType": parts[-2], "id": parts[-1]} if len(parts) > 1 else None


_RESOLVING = Environment(resolver=ByType())


class Oracle:
    """All resources, in plain lists.

    Attributes:
        resources: By type.
    """

    def __init__(self, resources: list[Resource]) -> None:
        """Keep them.

        Args:
            resources: As read from the hub.
        """
        self.resources: dict[str, list[Resource]] = {}
        for one in resources:
            self.resources.setdefault(one["resourceType"], []).append(one)
        self._by_id = {f"{one['resourceType']}/{one['id']}": one for one in resources}
        self._values: dict[tuple[str, str], Elements] = {}
        self._known: dict[str, list[SearchParameter]] = {}
        self._by_url = {one.url: one for one in search_parameters()}

    def values(self, resource: Resource, parameter: SearchParameter) -> Elements:
        """What a parameter's expression selects of a resource.

        A contained or described reference leads nowhere and counts as missing (docs/search.md).
        """
        key = (f"{resource['resourceType']}/{resource['id']}", parameter.url)
        found = self._values.get(key)
        if found is None:
            expression = compile_expression(parameter.expression)
            selected = expression.evaluate(resource, _RESOLVING)
            found = self._values[key] = [one for one in selected if _is_searchable(one)]
        return found

    def targets(self, resource: Resource, parameter: SearchParameter, type: str) -> list[Resource]:
        """The resources of a type that a parameter of a resource refers to."""
        found = (_target(one.value, type) for one in self.values(resource, parameter))
        return [self._by_id[one] for one in found if one in self._by_id]

    def ranks(self, type: str, key: str) -> dict[str, Any]:
        """What sorts each resource of a type by one key, in ascending order; none is last."""
        code = key.removeprefix("-")
        parameter = search_parameters_of(type)[code]
        is_falling = key.startswith("-")
        own: dict[str, Any] = {}
        for one in self.resources[type]:
            found = sorted(set(_sorting(parameter.type, self.values(one, parameter))))
            if code == "_lastUpdated":
                found = [one["meta"]["lastUpdated"]]
            own[f"{type}/{one['id']}"] = (found[-1] if is_falling else found[0]) if found else None
        ranked = sorted({one for one in own.values() if one is not None}, reverse=is_falling)
        places = {value: place for place, value in enumerate(ranked)}
        return {name: places.get(value, len(ranked)) for name, value in own.items()}

    # --- questions --------------------------------------------------------------------------

    def ask(self, random: Random, like: Resource, depth: int = 0) -> Asked | None:
        """A search parameter with values that occur; None if the dice fell badly.

        Args:
            random: Chooses.
            like: A resource that is more likely than others to be found; gives the type.
            depth: Chains above.
        """
        type = like["resourceType"]
        roll = random.random()
        if depth < 2 and roll < 0.15:
            return self._chain(random, like, depth)
        if depth < 2 and roll < 0.25:
            return self._has(random, type, depth)
        known = self.parameters(type)
        if random.random() < 0.95:
            known = [one for one in known if self.values(like, one)] or known
        parameter = random.choice(known)
        holders = [one for one in self.resources[type] if self.values(one, parameter)]
        if not holders and parameter.type == "composite":
            return None
        if not holders or (parameter.type != "composite" and random.random() < 0.05):
            wanted = random.random() < 0.5
            return Asked(
                f"{parameter.code}:missing",
                str(wanted).lower(),
                lambda one: bool(self.values(one, parameter)) != wanted,
            )
        count = random.choice((1, 1, 1, 2, 3))
        givers = [like, *(random.choice(holders) for _ in range(count))]
        samples = [random.choice(found) for one in givers if (found := self.values(one, parameter))]
        samples = samples[:count] if random.random() < 0.8 else samples[-count:]
        if parameter.type == "composite":
            return self._composite(random, parameter, random.choice(samples))
        modifier, tests = _questions(random, parameter.type, samples)
        if not tests:
            return None
        negated = modifier == "not"
        name = f"{parameter.code}:{modifier}" if modifier else parameter.code
        alternatives = [test for _, test in tests]

        def finds(resource: Resource) -> bool:
            elements = self.values(resource, parameter)
            return any(test(elements) for test in alternatives) != negated

        return Asked(name, ",".join(text for text, _ in tests), finds)

    def parameters(self, type: str) -> list[SearchParameter]:
        """The parameters of a type that searches are drawn from."""
        known = self._known.get(type)
        if known is None:
            found = search_parameters_of(type).values()
            known = [one for one in found if one.expression and one.code not in LEFT_OUT]
            self._known[type] = known
        return known

    def references(self, type: str) -> list[SearchParameter]:
        """Those of type reference."""
        return [one for one in self.parameters(type) if one.type == "reference"]

    def _chain(self, random: Random, like: Resource, depth: int) -> Asked | None:
        type = like["resourceType"]
        references = [one for one in self.references(type) if self.values(like, one)]
        if not references:
            return None
        parameter = random.choice(references)
        targets = [one for one in targets_of(parameter, type) if one in self.resources]
        if not targets:
            return None
        target = random.choice(targets)
        theirs = self.targets(like, parameter, target) or self.resources[target]
        inner = self.ask(random, random.choice(theirs), depth + 1)
        if inner is None:
            return None
        meets = inner.finds
        return Asked(
            f"{parameter.code}:{target}.{inner.name}",
            inner.text,
            lambda one: any(map(meets, self.targets(one, parameter, target))),
        )

    def _has(self, random: Random, type: str, depth: int) -> Asked | None:
        source = random.choice(list(self.resources))
        pointing = [one for one in self.references(source) if type in targets_of(one, source)]
        if not pointing:
            return None
        parameter = random.choice(pointing)
        inner = self.ask(random, random.choice(self.resources[source]), depth + 1)
        if inner is None:
            return None
        meant = {
            target["id"]
            for one in self.resources[source]
            if inner.finds(one)
            for target in self.targets(one, parameter, type)
        }
        return Asked(
            f"_has:{source}:{parameter.code}:{inner.name}",
            inner.text,
            lambda one: one["id"] in meant,
        )

    def _composite(self, random: Random, parameter: SearchParameter, focus: Item) -> Asked | None:
        compiled = []
        for part in parameter.components:
            definition = self._by_url[part.definition]
            expression = compile_expression(part.expression)
            selected = expression.evaluate(focus, _RESOLVING)
            if not selected:
                return None
            modifier, tests = _questions(random, definition.type, [random.choice(selected)], True)
            if modifier or not tests:
                return None
            compiled.append((expression, *tests[0]))

        def finds(resource: Resource) -> bool:
            return any(
                all(test(expression.evaluate(one, _RESOLVING)) for expression, _, test in compiled)
                for one in self.values(resource, parameter)
            )

        return Asked(parameter.code, "$".join(text for _, text, _ in compiled), finds)


def _is_searchable(element: Item) -> bool:
    value = element.value
    if element.type != "Reference" or not isinstance(value, dict):
        return True
    return "identifier" in value or value.get("reference", "#")[0] != "#"


# --- values ---------------------------------------------------------------------------------


def escaped(text: str) -> str:
    """A value with its separators escaped."""
    for mark in "\\,$|":
        text = text.replace(mark, f"\\{mark}")
    return text


def _questions(
    random: Random, kind: str, samples: Elements, plain: bool = False
) -> tuple[str, list[tuple[str, Test]]]:
    """A modifier, and for each sample a value's text and its test; none where it has no value."""
    ask = _ASK.get(kind)
    if ask is None:
        return "", []
    modifier = "" if plain else random.choice(_MODIFIERS[kind])
    made = [ask(random, one, modifier) for one in samples]
    return modifier, [one for one in made if one is not None]


_MODIFIERS = {
    "token": ("", "", "", "not"),
    "string": ("", "", "exact", "contains"),
    "date": ("",),
    "number": ("",),
    "quantity": ("",),
    "reference": ("", "", "identifier"),
    "uri": ("", "", "below"),
}


def _sorting(kind: str, elements: Elements) -> Iterator[Any]:
    """The values that a sort by elements goes by."""
    for one in elements:
        match kind:
            case "string":
                yield from (folded(text)[:160] for text in _strings(one))
            case "date":
                yield from (low for low, _ in _ranges(one))
            case "number":
                yield from (span[0] for span, _ in _spans(one))
            case "reference":
                text = one.value.get("reference") if isinstance(one.value, dict) else one.value
                if text:
                    yield _target(text) or text
            case "uri":
                yield one.value
            case "token":
                yield from (code for _, code in _codings(one) if code)


def _any(test: Callable[[Item], bool]) -> Test:
    return lambda elements: any(map(test, elements))


def _codings(element: Item) -> Iterator[tuple[str, str]]:
    """System and code of what a token parameter selects."""
    value = element.value
    match element.type:
        case "CodeableConcept":
            for coding in value.get("coding", ()):
                yield coding.get("system", ""), coding.get("code", "")
        case "Coding":
            yield value.get("system", ""), value.get("code", "")
        case "Identifier":
            yield value.get("system", ""), value.get("value", "")
        case "ContactPoint":
            yield "", value.get("value", "")
        case _:
            if isinstance(value, bool):
                yield "", str(value).lower()
            elif isinstance(value, str):
                yield "", value


def _same_code(element: Item, one: str, other: str) -> bool:
    if element.type in _CASELESS:
        return folded(one) == folded(other)
    return one == other


def _ask_token(random: Random, sample: Item, modifier: str) -> tuple[str, Test] | None:
    codings = [one for one in _codings(sample) if one[1]]
    if not codings or sample.type == "ContactPoint":
        return None
    system, code = random.choice(codings)
    ways = ["code"]
    if sample.type in ("CodeableConcept", "Coding", "Identifier"):
        ways += ["both", "system"] if system else ["none"]
    way = random.choice(ways)
    text = {
        "code": escaped(code),
        "both": f"{escaped(system)}|{escaped(code)}",
        "system": f"{escaped(system)}|",
        "none": f"|{escaped(code)}",
    }[way]

    def meets(element: Item) -> bool:
        return any(
            (way == "system" or _same_code(element, code, own))
            and (way == "code" or system == own_system)
            for own_system, own in _codings(element)
        )

    return text, _any(meets)


def folded(text: str) -> str:
    """Without case, accents and width."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(mark for mark in plain if unicodedata.category(mark) != "Mn")
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def _is_han(character: str) -> bool:
    return "CJK UNIFIED" in unicodedata.name(character, "")


def _strings(element: Item) -> list[str]:
    """The strings that a string parameter finds an element by."""
    value = element.value
    if isinstance(value, str):
        return [value]
    if not isinstance(value, dict):
        return []
    found: list[str] = []
    match element.type:
        case "HumanName":
            given = [one for one in value.get("given", ()) if one]
            found = [value.get("family", ""), value.get("text", ""), *given]
            found += [*value.get("prefix", ()), *value.get("suffix", ())]
            if any(map(_is_han, value.get("family", ""))) and given:
                found.append(value["family"] + "".join(given))
        case "Address":
            names = ("text", "city", "district", "state", "postalCode", "country")
            found = [*(value.get(name, "") for name in names), *value.get("line", ())]
        case "CodeableConcept" | "Coding":
            found = [value.get("text", ""), value.get("display", "")]
            found += [one.get("display", "") for one in value.get("coding", ())]
    return [one for one in found if one]


def _ask_string(random: Random, sample: Item, modifier: str) -> tuple[str, Test] | None:
    strings = _strings(sample)
    if not strings:
        return None
    whole = random.choice(strings)
    if modifier == "exact":
        return escaped(whole), _any(lambda one: whole in _strings(one))
    start = 0
    if modifier == "contains" or _is_han(whole[0]):
        start = random.randrange(len(whole))
    if modifier != "contains" and not _is_han(whole[start]):
        start = 0
    sought = whole[start : start + random.randint(1, 8)]
    wanted = folded(sought)
    if not wanted:
        return None

    def meets(text: str) -> bool:
        if modifier == "contains" or _is_han(wanted[0]):
            return wanted in text
        return text.startswith(wanted)

    return escaped(sought), _any(lambda one: any(meets(folded(own)) for own in _strings(one)))


Range = tuple[datetime, datetime]
_EVER: Range = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_MICROSECOND = timedelta(microseconds=1)


def moments(text: str) -> Range:
    """First moment of a date, and the first one after it."""
    day, _, time = text.partition("T")
    if not time:
        parts = [int(part) for part in day.split("-")]
        year, month, date = [*parts, 1, 1][:3]
        low = datetime(year, month, date, tzinfo=ZONE)
        if len(parts) == 1:
            return low, low.replace(year=low.year + 1)
        if len(parts) == 2:
            following_month = month % 12 + 1
            year += following_month == 1
            return low, low.replace(year=year, month=following_month)
        following = low.date() + timedelta(days=1)
        return low, datetime(following.year, following.month, following.day, tzinfo=ZONE)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZONE)
    fraction = len(time.partition(".")[2].partition("+")[0].partition("-")[0].rstrip("Z"))
    step = timedelta(seconds=1) if not fraction else timedelta(microseconds=10 ** (6 - fraction))
    if time.count(":") - (time.rstrip("Z")[-3:-2] == ":" and ("+" in time or "-" in time)) == 1:
        step = timedelta(minutes=1)
    return moment, moment + step


def _ranges(element: Item) -> list[Range]:
    """The time that what a date parameter selects stands for."""
    value = element.value
    if isinstance(value, str):
        return [moments(value)]
    if not isinstance(value, dict):
        return []
    if element.type == "Timing":
        own = [moments(event) for event in value.get("event", ())]
        bounds = value.get("repeat", {}).get("boundsPeriod")
        own += _ranges(Item(bounds, "Period")) if bounds else []
        return [(min(low for low, _ in own), max(high for _, high in own))] if own else []
    if "start" not in value and "end" not in value:
        return []
    low = moments(value["start"])[0] if "start" in value else _EVER[0]
    high = moments(value["end"])[1] if "end" in value else _EVER[1]
    return [(low, high)]


def meets_date(prefix: str, row: Range, sought: Range) -> bool:
    """https://hl7.org/fhir/R4/search.html#prefix, for ranges."""
    (low, high), (first, end) = row, sought
    inside = low >= first and high <= end
    return {
        "": inside,
        "eq": inside,
        "ne": not inside,
        "gt": high > end,
        "lt": low < first,
        "ge": inside or high > end or low >= first,
        "le": inside or low < first or high <= end,
        "sa": low >= end,
        "eb": high <= first,
    }[prefix]


_PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")


def _ask_date(random: Random, sample: Item, modifier: str) -> tuple[str, Test] | None:
    if not (ranges := _ranges(sample)):
        return None
    moment = random.choice([end for end in ranges[0] if end not in _EVER]).astimezone(ZONE)
    written = moment.isoformat(timespec=random.choice(("minutes", "seconds", "milliseconds")))
    text = random.choice((written, written[:4], written[:7], written[:10], written[:10]))
    if len(text) > 10 and random.random() < 0.5:
        text = text[:-6]
    prefix = random.choice(_PREFIXES)
    sought = moments(text)
    return prefix + text, _any(
        lambda one: any(meets_date(prefix, own, sought) for own in _ranges(one))
    )


Span = tuple[Decimal, Decimal]
_LEAST, _MOST = Decimal("-Infinity"), Decimal("Infinity")


def _spans(element: Item) -> list[tuple[Span, Resource]]:
    """The numbers that an element stands for, with what tells their unit."""
    value = element.value
    if isinstance(value, bool):
        return []
    if isinstance(value, int | Decimal):
        return [((Decimal(value), Decimal(value)), {})]
    if not isinstance(value, dict):
        return []
    if element.type == "Range":
        ends = [value.get(side, {}).get("value") for side in ("low", "high")]
        if ends == [None, None]:
            return []
        low = _LEAST if ends[0] is None else Decimal(ends[0])
        high = _MOST if ends[1] is None else Decimal(ends[1])
        return [((low, high), value.get("low") or value["high"])]
    if element.type == "Money":
        unit = {"system": "urn:iso:std:iso:4217", "code": value.get("currency", "")}
        number = Decimal(value["value"]) if "value" in value else None
        return [] if number is None else [((number, number), unit)]
    if "value" not in value or element.type == "SampledData":
        return []
    number = Decimal(value["value"])
    comparator = value.get("comparator", "")
    low = _LEAST if comparator.startswith("<") else number
    high = _MOST if comparator.startswith(">") else number
    return [((low, high), value)]


def meets_number(prefix: str, row: Span, exact: Decimal, implied: Span) -> bool:
    """https://hl7.org/fhir/R4/search.html#prefix, with the precision of what is sought."""
    low, high = row
    inside = low >= implied[0] and high < implied[1]
    return {
        "": inside,
        "eq": inside,
        "ne": not inside,
        "gt": high > exact,
        "lt": low < exact,
        "ge": high >= exact,
        "le": low <= exact,
        "sa": low > exact,
        "eb": high < exact,
    }[prefix]


def _in_units(number: Decimal, unit: Resource) -> tuple[Decimal, str]:
    """A number in canonical units if it has UCUM ones (`tests/model/test_ucum.py` checks those)."""
    system, code = unit.get("system", ""), unit.get("code", "")
    found = canonical(number, code, system) if code and number.is_finite() else None
    return found or (number, f"{system}|{code}")


def _ask_number(random: Random, sample: Item, modifier: str) -> tuple[str, Test] | None:
    spans = _spans(sample)
    numbers = [end for span, _ in spans for end in span if end.is_finite()]
    if not numbers:
        return None
    unit = spans[0][1]
    number = numbers[0].quantize(Decimal(1).scaleb(-random.randint(0, 2)))
    prefix = random.choice(_PREFIXES)
    text = f"{prefix}{number:f}"
    is_united = bool(unit.get("code")) and random.random() < 0.5
    if is_united:
        text += f"|{escaped(unit.get('system', ''))}|{escaped(unit['code'])}"

    half = Decimal(1).scaleb(int(number.as_tuple().exponent)) / 2
    implied = number - half, number + half
    (least, wanted), (most, _) = (_in_units(end, unit) for end in implied)

    def meets_one(span: Span, own: Resource) -> bool:
        if not is_united:
            return meets_number(prefix, span, number, implied)
        (low, code), (high, _) = (_in_units(end, own) for end in span)
        exact = _in_units(number, unit)[0]
        return code == wanted and meets_number(prefix, (low, high), exact, (least, most))

    def meets(element: Item) -> bool:
        return any(meets_one(span, own) for span, own in _spans(element))

    return text, _any(meets)


def _target(value: Any, type: str = "") -> str:
    """`Type/id` of a reference to this hub, "" for any other."""
    text = value.get("reference", "") if isinstance(value, dict) else value
    if not isinstance(text, str):
        return ""
    parts = text.removeprefix(f"{BASE}/").partition("/_history/")[0].split("/")
    return "/".join(parts) if len(parts) == 2 and type in ("", parts[0]) else ""


def _ask_reference(random: Random, sample: Item, modifier: str) -> tuple[str, Test] | None:
    value = sample.value
    if modifier == "identifier":
        own = value.get("identifier") if isinstance(value, dict) else None
        if own is None or "value" not in own:
            return None
        system, code = own.get("system", ""), own["value"]
        text = f"{escaped(system)}|{escaped(code)}"
        return text, _any(
            lambda one: (
                isinstance(one.value, dict)
                and one.value.get("identifier", {}).get("value") == code
                and one.value["identifier"].get("system", "") == system
            )
        )
    target = _target(value)
    if not target or sample.type != "Reference":
        return None
    way = random.choice(("whole", "whole", "id", "url"))
    if way == "id":
        id = target.partition("/")[2]
        return id, _any(lambda one: _target(one.value).partition("/")[2] == id)
    text = f"{BASE}/{target}" if way == "url" else target
    return text, _any(lambda one: _target(one.value) == target)


def _ask_uri(random: Random, sample: Item, modifier: str) -> tuple[str, Test] | None:
    uri = sample.value
    if not isinstance(uri, str):
        return None
    if modifier == "below":
        if not uri.startswith("http"):
            return None
        uri = uri[: random.randint(9, len(uri))]
        return escaped(uri), _any(lambda one: one.value.startswith(uri))
    return escaped(uri), _any(lambda one: one.value == uri)


_ASK: dict[str, Callable[[Random, Item, str], tuple[str, Test] | None]] = {
    "token": _ask_token,
    "string": _ask_string,
    "date": _ask_date,
    "number": _ask_number,
    "quantity": _ask_number,
    "reference": _ask_reference,
    "uri": _ask_uri,
}
