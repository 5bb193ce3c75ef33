import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "../src/json";
import {
  conceptText, countText, flagOf, observationText, quantityText, rangeText, sizeText, valueText,
} from "../src/values";

const ZONE = "Asia/Shanghai";
const observation = (content: object) => ({ resourceType: "Observation", ...content });
const loinc = (code: string) => ({ coding: [{ system: "http://loinc.org", code }] });
const pressure = (systolic: unknown, diastolic: unknown) =>
  observation({
    component: [
      { code: loinc("8480-6"), valueQuantity: { value: systolic, unit: "mmHg" } },
      { code: loinc("8462-4"), valueQuantity: { value: diastolic, unit: "mmHg" } },
    ],
  });

test("a quantity has its unit, and a percent sign stands close", () => {
  assert.equal(quantityText({ value: 5.6, unit: "mmol/L" }, "en"), "5.6 mmol/L");
  assert.equal(quantityText({ value: 98, unit: "%" }, "en"), "98%");
  assert.equal(quantityText({ comparator: "<", value: 3, code: "mg" }, "en"), "<3 mg");
  assert.equal(quantityText({ value: 3, code: "1" }, "en"), "3");
  assert.equal(quantityText({ value: 0, unit: "mg" }, "en"), "0 mg");
  assert.equal(quantityText({ unit: "mg" }, "en"), "");
});

test("a unit in Han is its code for whoever reads English", () => {
  const rate = { value: 72, unit: "次/分", code: "/min" };
  assert.equal(quantityText(rate, "zh"), "72 次/分");
  assert.equal(quantityText(rate, "en"), "72 /min");
});

test("a blood pressure is one figure over the other", () => {
  assert.equal(observationText(pressure(138, 86), "en", ZONE), "138/86 mmHg");
});

test("half a blood pressure says which half", () => {
  const half = observation({
    component: [
      { code: { text: "Systolic" }, valueQuantity: { value: 138, unit: "mmHg" } },
      { code: { text: "Diastolic" }, dataAbsentReason: { text: "not heard" } },
    ],
  });
  assert.equal(observationText(half, "en", ZONE), "Systolic 138 mmHg; Diastolic not heard");
});

test("every kind of value has words", () => {
  const cases: [object, string][] = [
    [{ valueString: "clear" }, "clear"],
    [{ valueInteger: 0 }, "0"],
    [{ valueBoolean: false }, "no"],
    [{ valueCodeableConcept: { text: "Positive" } }, "Positive"],
    [{ valueRange: { low: { value: 1 }, high: { value: 2, unit: "mg" } } }, "1 mg–2 mg"],
    [{ valueRatio: { numerator: { value: 1 }, denominator: { value: 128 } } }, "1 : 128"],
    [{ valueTime: "08:00:00" }, "08:00:00"],
    [{ valueDateTime: "2026-03" }, "Mar 2026"],
    [{ valuePeriod: { start: "2026-03" } }, "from Mar 2026"],
    [{ valueSampledData: {} }, "recorded curve"],
    [{ dataAbsentReason: { text: "asked but unknown" } }, "asked but unknown"],
    [{}, ""],
  ];
  cases[4] = [{ valueRange: { low: { value: 1, unit: "mg" }, high: { value: 2, unit: "mg" } } }, "1–2 mg"];
  for (const [content, words] of cases) assert.equal(valueText(observation(content), "en", ZONE), words);
});

test("a range may be open", () => {
  assert.equal(rangeText({ low: { value: 90, unit: "mmHg" } }, "en"), "≥ 90 mmHg");
  assert.equal(rangeText({ high: { value: 90, unit: "mmHg" } }, "en"), "≤ 90 mmHg");
  assert.equal(rangeText({}, "en"), "");
});

test("a concept is in the reader's language where it has both", () => {
  const both = { text: "体重", coding: [{ code: "29463-7", display: "Body weight" }] };
  assert.equal(conceptText(both, "zh"), "体重");
  assert.equal(conceptText(both, "en"), "Body weight");
  assert.equal(conceptText({ text: "体重" }, "en"), "体重");
  assert.equal(conceptText({ coding: [{ code: "x" }] }, "en"), "x");
  assert.equal(conceptText(undefined, "en"), "");
});

test("what a code is called here goes before its display", () => {
  const panel = { coding: [{ code: "85354-9", display: "Blood pressure panel with all children optional" }] };
  assert.equal(conceptText(panel, "en"), "Blood pressure");
  assert.equal(conceptText(panel, "zh"), "血压");
});

test("high and low are said, normal is not", () => {
  const interpreted = (code: string) => observation({ interpretation: [{ coding: [{ code }] }] });
  assert.equal(flagOf(interpreted("H")), "high");
  assert.equal(flagOf(interpreted("LL")), "low");
  assert.equal(flagOf(interpreted("A")), "abnormal");
  assert.equal(flagOf(interpreted("N")), null);
  assert.equal(flagOf(observation({ component: [interpreted("H")] })), "high");
});

test("a number keeps the digits it was written with, where JavaScript can tell", () => {
  const read = parse('{"valueQuantity":{"value":5.0,"unit":"mmol/L"},"count":3}') as any;
  const canTell = "rawJSON" in JSON;
  assert.equal(valueText(read, "en", ZONE), canTell ? "5.0 mmol/L" : "5 mmol/L");
  assert.equal(read.count, 3);
});

test("sizes and counts are short", () => {
  assert.equal(sizeText(512), "512 B");
  assert.equal(sizeText(4_427_776), "4.2 MB");
  assert.equal(sizeText(67 * 1024 ** 3), "67 GB");
  assert.equal(countText(1234567, "en"), "1,234,567");
});
