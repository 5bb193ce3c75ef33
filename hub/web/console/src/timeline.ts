// One timeline out of many searches, each newest first and paged by its own links.
//
// An entry is shown once no search that has more pages could still bring a newer one; loading
// further reads the next page of the searches that hold the others back.
import { entryOf, type Entry, type Kind } from "./entries";
import { matches, nextPage, type Bundle } from "./fhir";

export interface Stream {
  kind: Kind;
  entries: Entry[];
  /** Where to read on: the first search, or a page's link; null at the end. */
  next: string | null;
  /** Why it could not be read. */
  failure: unknown;
}

export type Fetch = (url: string) => Promise<Bundle>;

export function streamsOf(kinds: Kind[], patient: string, count = 20): Stream[] {
  return kinds.map((kind) => ({
    kind,
    entries: [],
    next: `${kind.type}?patient=${encodeURIComponent(patient)}&_sort=-${kind.sort}&_count=${count}`,
    failure: null,
  }));
}

/** The moment above which nothing can come any more; -Infinity when all is there. */
export function horizon(streams: Stream[]): number {
  return Math.max(-Infinity, ...streams.filter((one) => one.next !== null).map(lowest));
}

function lowest(stream: Stream): number {
  return stream.entries.length ? Math.min(...stream.entries.map((entry) => entry.at)) : Infinity;
}

/** What can be shown, newest first; entries without a date last. */
export function ready(streams: Stream[]): Entry[] {
  const limit = horizon(streams);
  return streams
    .flatMap((stream) => stream.entries)
    .filter((entry) => entry.at >= limit)
    .sort((one, two) => (two.at === one.at ? compare(one.key, two.key) : two.at > one.at ? 1 : -1));
}

function compare(one: string, two: string): number {
  return one < two ? -1 : Number(one > two);
}

export function hasMore(streams: Stream[]): boolean {
  return streams.some((stream) => stream.next !== null);
}

/** Read on until so many more entries can be shown, or all are; gives new streams. */
export async function advance(streams: Stream[], fetch: Fetch, wanted = 20): Promise<Stream[]> {
  const enough = ready(streams).length + wanted;
  let now = streams;
  while (hasMore(now) && ready(now).length < enough) {
    const limit = horizon(now);
    now = await Promise.all(
      now.map((one) => (one.next !== null && lowest(one) >= limit ? read(one, fetch) : one)),
    );
  }
  return now;
}

async function read(stream: Stream, fetch: Fetch): Promise<Stream> {
  try {
    const bundle = await fetch(stream.next as string);
    const known = new Set(stream.entries.map((entry) => entry.key));
    const found = matches(bundle)
      .map((resource) => entryOf(stream.kind, resource))
      .filter((entry) => !known.has(entry.key));
    return { ...stream, entries: [...stream.entries, ...found], next: nextPage(bundle) };
  } catch (failure) {
    if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
    return { ...stream, next: null, failure };
  }
}
