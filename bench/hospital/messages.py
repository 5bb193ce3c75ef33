"""Messages as a hospital sends them, of invented patients: admissions and laboratory results.

Each sender has patients of its own and tells of them in order; senders do not share patients, as
wards do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

OPENING = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
RESULTS = 20

_FAMILIES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰飞鹏"
_STREETS = ("建设路", "人民中路", "解放大道", "清河街", "东风西路")
_ANALYTES = (
    ("WBC", "白细胞计数", "10*9/L", 3.5, 9.5),
    ("RBC", "红细胞计数", "10*12/L", 4.3, 5.8),
    ("HGB", "血红蛋白", "g/L", 130, 175),
    ("HCT", "红细胞压积", "L/L", 0.4, 0.5),
    ("PLT", "血小板计数", "10*9/L", 125, 350),
    ("GLU", "葡萄糖", "mmol/L", 3.9, 6.1),
    ("K", "钾", "mmol/L", 3.5, 5.3),
    ("NA", "钠", "mmol/L", 137, 147),
    ("CL", "氯", "mmol/L", 99, 110),
    ("CREA", "肌酐", "umol/L", 57, 97),
    ("UREA", "尿素", "mmol/L", 3.1, 8.0),
    ("ALT", "丙氨酸氨基转移酶", "U/L", 9, 50),
    ("AST", "天门冬氨酸氨基转移酶", "U/L", 15, 40),
    ("TBIL", "总胆红素", "umol/L", 0, 23),
    ("ALB", "白蛋白", "g/L", 40, 55),
    ("TP", "总蛋白", "g/L", 65, 85),
    ("CHOL", "总胆固醇", "mmol/L", 2.8, 5.2),
    ("TG", "甘油三酯", "mmol/L", 0.4, 1.7),
    ("HBA1C", "糖化血红蛋白", "%", 4, 6),
    ("CRP", "C反应蛋白", "mg/L", 0, 10),
)


def _stamp(minutes: int) -> str:
    return (OPENING + timedelta(minutes=minutes)).strftime("%Y%m%d%H%M%S")


def _header(sender: int, kind: str, number: int, minutes: int, application: str) -> str:
    return (
        f"MSH|^~\\&|{application}|WARD{sender}|HUB|CENTRE|{_stamp(minutes)}||{kind}"
        f"|{application}{sender:03d}{number:08d}|P|2.5||||||UNICODE UTF-8"
    )


def _patient(sender: int, number: int) -> str:
    random = Random(sender * 1_000_003 + number)
    name = f"{random.choice(_FAMILIES)}^{''.join(random.choices(_GIVEN, k=random.choice((1, 2))))}"
    born = datetime(1940, 1, 1, tzinfo=UTC) + timedelta(days=random.randrange(29_000))
    street = f"{random.choice(_STREETS)}{random.randrange(1, 400)}号"
    return (
        f"PID|1||{sender:03d}{number:07d}^^^QINGHE^MR~3401{number:014d}^^^^NI||{name}"
        f"||{born:%Y%m%d}|{random.choice('MF')}|||{street}^^合肥市^安徽省^230001^CHN||"
        f"^PRN^CP^^^^^^^^^139{random.randrange(10**8):08d}|||M"
    )


def _visit(sender: int, number: int, class_: str, minutes: int) -> str:
    fields = [""] * 45
    fields[0], fields[1], fields[2] = "PV1", "1", class_
    fields[3] = f"WARD{sender}^{number % 40:02d}^1"
    fields[7] = f"D{number % 90:04d}^周^明远"
    fields[10] = "MED"
    fields[19] = f"V{sender:03d}{number:08d}^^^QINGHE^VN"
    fields[44] = _stamp(minutes)
    return "|".join(fields)


def admissions(sender: int) -> Iterator[bytes]:
    """Endless ADT messages of a ward: a patient comes, is admitted, changed twice, discharged."""
    number = 0
    for patient in range(10**7):
        for step, (kind, class_) in enumerate(
            (("A04", "O"), ("A01", "I"), ("A08", "I"), ("A08", "I"), ("A03", "I"))
        ):
            minutes = patient + step
            lines = [
                _header(sender, f"ADT^{kind}", number, minutes, "HIS"),
                f"EVN|{kind}|{_stamp(minutes)}",
                _patient(sender, patient),
                "NK1|1|李^秀英|SPO|||13900000000",
                _visit(sender, patient, class_, patient),
                "DG1|1||I10^原发性高血压^I10|||A",
            ]
            number += 1
            yield ("\r".join(lines) + "\r").encode()


def results(sender: int) -> Iterator[bytes]:
    """Endless ORU messages of an analyser: reports of `RESULTS` results each."""
    for number in range(10**7):
        random = Random(number)
        at = _stamp(number)
        lines = [
            _header(sender, "ORU^R01", number, number, "LIS"),
            _patient(sender, number % 50),
            f"ORC|RE|YZ{sender:03d}{number:08d}^HIS|L{sender:03d}{number:08d}^LIS||CM",
            f"OBR|1|YZ{sender:03d}{number:08d}^HIS|L{sender:03d}{number:08d}^LIS"
            f"|SH^生化^99LIS|||{at}|||||||||||||||{at}||CH|F",
        ]
        for place, (code, name, unit, low, high) in enumerate(_ANALYTES[:RESULTS], 1):
            value = round(random.uniform(low * 0.9, high * 1.1), 2)
            flag = "H" if value > high else "L" if value < low else "N"
            lines.append(
                f"OBX|{place}|NM|{code}^{name}^99LIS||{value}|{unit}|{low}-{high}|{flag}|||F|||{at}"
            )
        yield ("\r".join(lines) + "\r").encode()
