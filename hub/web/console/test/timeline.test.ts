import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS, lineOf, entryOf, type Kind } from "../src/entries";
import type { Bundle } from "../src/fhir";
import { advance, hasMore, ready, streamsOf } from "../src/timeline";

const kindOf = (type: string) => KINDS.find((one) => one.type === type) as Kind;
const VISITS = kindOf("Encounter");
const MEASURES = kindOf("Observation");

/** A server that holds days of visits and measurements, in pages of two. */
function server(days: { Encounter: string[]; Observation: string[] }) {
  const asked: string[] = [];
  const fetch = async (url: string): Promise<Bundle> => {
    asked.push(url);
    const type = url.startsWith("Encounter") ? "Encounter" : "Observation";
    const start = Number(/cursor=(\d+)/.exec(url)?.[1] ?? 0);
    const page = days[type].slice(start, start + 2);
    const entry = page.map((day) => ({
      resource:
        type === "Encounter"
          ? { resourceType: type, id: `e${day}`, period: { start: day } }
          : { resourceType: type, id: `o${day}`, effectiveDateTime: day },
    }));
    const more = start + 2 < days[type].length;
    return {
      resourceType: "Bundle",
      entry,
      link: more ? [{ relation: "next", url: `${type}?cursor=${start + 2}` }] : [],
    };
  };
  return { fetch, asked };
}

const shown = (streams: Parameters<typeof ready>[0]) => ready(streams).map((entry) => entry.when);

test("nothing is shown before everything newer must be there", async () => {
  const { fetch } = server({
    Encounter: ["2026-06-01", "2026-01-01", "2025-01-01"],
    Observation: ["2026-05-02", "2026-05-01", "2026-04-02", "2026-04-01"],
  });
  const first = await advance(streamsOf([VISITS, MEASURES], "Patient/1"), fetch, 1);
  // The visit of January waits: measurements of April may still come.
  assert.deepEqual(shown(first), ["2026-06-01", "2026-05-02", "2026-05-01"]);
  assert.ok(hasMore(first));
  const all = await advance(first, fetch, 100);
  assert.deepEqual(shown(all), [
    "2026-06-01", "2026-05-02", "2026-05-01", "2026-04-02", "2026-04-01", "2026-01-01", "2025-01-01",
  ]);
  assert.ok(!hasMore(all));
});

test("only the searches that hold others back are read on", async () => {
  const { fetch, asked } = server({
    Encounter: ["2020-01-02", "2020-01-01", "2019-01-01"],
    Observation: ["2026-05-02", "2026-05-01", "2026-04-02", "2026-04-01"],
  });
  await advance(streamsOf([VISITS, MEASURES], "Patient/1"), fetch, 4);
  assert.deepEqual(asked.slice(2), ["Observation?cursor=2"]);
});

test("what has no date comes last, when all else is there", async () => {
  const fetch = async (): Promise<Bundle> => ({
    resourceType: "Bundle",
    entry: [
      { resource: { resourceType: "Encounter", id: "a", period: { start: "2020-01-01" } } },
      { resource: { resourceType: "Encounter", id: "b" } },
    ],
  });
  assert.deepEqual(shown(await advance(streamsOf([VISITS], "Patient/1"), fetch)), ["2020-01-01", ""]);
});

test("a search that is refused leaves the others", async () => {
  const { fetch } = server({ Encounter: ["2026-06-01"], Observation: [] });
  const refusing = async (url: string) => {
    if (url.startsWith("Observation")) throw new Error("403");
    return fetch(url);
  };
  const streams = await advance(streamsOf([VISITS, MEASURES], "Patient/1"), refusing);
  assert.deepEqual(shown(streams), ["2026-06-01"]);
  assert.deepEqual(streams.map((one) => one.failure !== null), [false, true]);
});

test("what stands on two pages is shown once", async () => {
  const pages: Bundle[] = ["a", "b"].map((id, index) => ({
    resourceType: "Bundle",
    entry: [...new Set(["a", id])].map((one) => ({
      resource: { resourceType: "Encounter", id: one, period: { start: "2020" } },
    })),
    link: index ? [] : [{ relation: "next", url: "1" }],
  }));
  const fetch = async (url: string) => pages[url === "1" ? 1 : 0] as Bundle;
  const streams = await advance(streamsOf([VISITS], "Patient/1"), fetch, 100);
  assert.deepEqual(ready(streams).map((entry) => entry.key), ["Encounter/a", "Encounter/b"]);
});

test("every kind has a line, even of an empty resource", () => {
  for (const kind of KINDS) {
    const line = lineOf(entryOf(kind, { resourceType: kind.type, id: "1" }), "zh", "UTC");
    assert.equal(line.title, kind.type);
  }
});

test("what was entered in error says so", () => {
  const wrong = { resourceType: "Observation", id: "1", status: "entered-in-error", code: { text: "x" } };
  assert.ok(lineOf(entryOf(MEASURES, wrong), "en", "UTC").wrong);
});
