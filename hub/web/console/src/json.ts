// JSON in which a number keeps the digits it was written with: 5.0 is not 5 to a clinician.

interface Source {
  source?: string;
}

/** Parse; a number that JavaScript would write otherwise becomes text, where the browser tells. */
export function parse(text: string): unknown {
  return JSON.parse(text, function keep(_key: string, value: unknown, ...rest: Source[]) {
    const source = rest[0]?.source;
    return typeof value === "number" && source !== undefined && String(value) !== source
      ? source
      : value;
  } as (key: string, value: unknown) => unknown);
}
