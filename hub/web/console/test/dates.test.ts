import assert from "node:assert/strict";
import { test } from "node:test";
import { ageText, clockText, dayKey, dayText, periodText, startOf, timeText } from "../src/dates";

const ZONE = "Asia/Shanghai";
const at = (text: string) => Date.parse(text);

test("a date is shown as precisely as it was written", () => {
  assert.equal(dayText("2026", "en", ZONE), "2026");
  assert.equal(dayText("2026-03", "en", ZONE), "Mar 2026");
  assert.equal(dayText("2026-03-05", "en", ZONE), "5 Mar 2026");
  assert.equal(dayText("2026", "zh", ZONE), "2026年");
  assert.equal(dayText("2026-03", "zh", ZONE), "2026年3月");
  assert.equal(dayText("2026-03-05", "zh", ZONE), "2026年3月5日");
});

test("a date without a time belongs to no zone", () => {
  assert.equal(dayText("2026-03-05", "en", "America/Los_Angeles"), "5 Mar 2026");
  assert.equal(dayKey("2026-03-05", "America/Los_Angeles"), "2026-03-05");
});

test("a time is shown in the hub's zone, by a clock of 24 hours", () => {
  assert.equal(timeText("2026-03-05T16:30:00Z", "en", ZONE), "6 Mar 2026 00:30");
  assert.equal(timeText("2026-03-05T16:30:00Z", "zh", ZONE), "2026年3月6日 00:30");
  assert.equal(clockText("2026-03-05T10:20:00+08:00", "en", ZONE), "10:20");
  assert.equal(clockText("2026-03-05", "en", ZONE), "");
  assert.equal(dayKey("2026-03-05T16:30:00Z", ZONE), "2026-03-06");
});

test("what is no date stays as it is", () => {
  assert.equal(dayText("soon", "en", ZONE), "soon");
  assert.equal(dayText(undefined, "en", ZONE), "");
  assert.equal(timeText("", "en", ZONE), "");
  assert.ok(Number.isNaN(startOf("soon")));
  assert.equal(dayKey("soon", ZONE), "");
});

test("a period says from when, until when, or both", () => {
  assert.equal(periodText({ start: "2026-01-01", end: "2026-12-31" }, "en", ZONE), "1 Jan 2026 – 31 Dec 2026");
  assert.equal(periodText({ start: "2026-01-01", end: "2026-01-01" }, "en", ZONE), "1 Jan 2026");
  assert.equal(periodText({ start: "2026-01-01" }, "zh", ZONE), "自 2026年1月1日 起");
  assert.equal(periodText({ end: "2026-01-01" }, "en", ZONE), "until 1 Jan 2026");
  assert.equal(periodText(undefined, "en", ZONE), "");
});

test("ages are years, months below two years, days below a month", () => {
  const today = at("2026-06-30T00:00:00Z");
  assert.equal(ageText("1950-06-30", today, "en"), "76 years");
  assert.equal(ageText("1950-07-01", today, "en"), "75 years");
  assert.equal(ageText("2024-07-01", today, "en"), "23 months");
  assert.equal(ageText("2024-06-30", today, "en"), "2 years");
  assert.equal(ageText("2026-05-30", today, "en"), "1 month");
  assert.equal(ageText("2026-06-29", today, "en"), "1 day");
  assert.equal(ageText("2026-06-30", today, "zh"), "0 天");
  assert.equal(ageText("1950-06-30", today, "zh"), "76 岁");
});

test("somebody born in a leap night turns a year older in March", () => {
  assert.equal(ageText("2000-02-29", at("2026-02-28T00:00:00Z"), "en"), "25 years");
  assert.equal(ageText("2000-02-29", at("2026-03-01T00:00:00Z"), "en"), "26 years");
});

test("an age from part of a date is about right; from none, or from the future, empty", () => {
  const today = at("2026-06-30T00:00:00Z");
  assert.equal(ageText("1950", today, "en"), "about 75 years");
  assert.equal(ageText("1950-03", today, "zh"), "约 76 岁");
  assert.equal(ageText(undefined, today, "en"), "");
  assert.equal(ageText("2026-07-01", today, "en"), "");
});
