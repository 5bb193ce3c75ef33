// FHIR dates for people: as precise as they were written, times in the hub's zone.
import { word, type Language } from "./words";

const DAY = 86_400_000;
const PARTIAL = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatter(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  const key = locale + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(locale, options)));
  return found;
}

/** Milliseconds at which a date, dateTime or instant begins; NaN when it is none. */
export function startOf(text: string | undefined): number {
  if (!text) return NaN;
  const partial = PARTIAL.exec(text);
  if (partial) return Date.UTC(Number(partial[1]), Number(partial[2] ?? 1) - 1, Number(partial[3] ?? 1));
  return Date.parse(text);
}

/** Only the day (or month, or year), in words. */
export function dayText(text: string | undefined, language: Language, zone: string): string {
  const at = startOf(text);
  if (!text || Number.isNaN(at)) return text ?? "";
  const partial = PARTIAL.exec(text);
  const options: Intl.DateTimeFormatOptions = { year: "numeric", timeZone: partial ? "UTC" : zone };
  if (!partial || partial[2]) options.month = language === "zh" ? "long" : "short";
  if (!partial || partial[3]) options.day = "numeric";
  return formatter(language, options).format(at);
}

/** The time of day, "" when none was written. */
export function clockText(text: string | undefined, language: Language, zone: string): string {
  const at = startOf(text);
  if (!text || Number.isNaN(at) || PARTIAL.test(text)) return "";
  return formatter(language, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone: zone,
  }).format(at);
}

/** Day and time. */
export function timeText(text: string | undefined, language: Language, zone: string): string {
  return [dayText(text, language, zone), clockText(text, language, zone)].filter(Boolean).join(" ");
}

/** From when to when. */
export function periodText(
  period: { start?: string; end?: string } | undefined,
  language: Language,
  zone: string,
): string {
  const start = dayText(period?.start, language, zone);
  const end = dayText(period?.end, language, zone);
  if (start && end) return start === end ? start : `${start} – ${end}`;
  if (start) return word(language, "from", { date: start });
  return end ? word(language, "until", { date: end }) : "";
}

/** The day that a moment falls on in a zone, as YYYY-MM-DD; "" for no date. */
export function dayKey(text: string | undefined, zone: string): string {
  const at = startOf(text);
  if (!text || Number.isNaN(at)) return "";
  if (PARTIAL.test(text)) return text;
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(at);
}

/** How old somebody born then is at a moment: days, then months, then years; "" when unknown. */
export function ageText(born: string | undefined, at: number, language: Language): string {
  const from = PARTIAL.exec(born ?? "");
  const to = new Date(at);
  if (!from || Number.isNaN(at)) return "";
  const [year, month, day] = [Number(from[1]), Number(from[2] ?? 7), Number(from[3] ?? 1)];
  let months = (to.getUTCFullYear() - year) * 12 + to.getUTCMonth() + 1 - month;
  if (to.getUTCDate() < day) months -= 1;
  const days = Math.floor((at - Date.UTC(year, month - 1, day)) / DAY);
  if (days < 0 && from[3]) return "";
  let age = word(language, "years", { count: Math.max(0, Math.floor(months / 12)) });
  if (from[3] && months < 1) age = word(language, "days", { count: days });
  else if (from[2] && months < 24) age = word(language, "months", { count: Math.max(0, months) });
  if (language === "en") age = age.replace(/^1 (year|month|day)s$/, "1 $1");
  return from[3] ? age : word(language, "aboutAge", { age });
}
