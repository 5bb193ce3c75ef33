// Values of observations in words, with their units.
import { knownConcept } from "./codes";
import { periodText, timeText } from "./dates";
import type { CodeableConcept, Quantity, Resource } from "./fhir";
import { isHan } from "./names";
import { word, type Language, type Word } from "./words";

const SYSTOLIC = "8480-6";
const DIASTOLIC = "8462-4";
const FLAGS: Record<string, Word> = {
  H: "high", HH: "high", HU: "high", L: "low", LL: "low", LU: "low", A: "abnormal", AA: "abnormal",
};

/** A concept in the reader's language where it has both, else as its author put it. */
export function conceptText(concept: CodeableConcept | undefined, language: Language): string {
  const known = knownConcept(concept, language);
  if (known) return known;
  const text = concept?.text?.trim() ?? "";
  const displays = (concept?.coding ?? []).map((coding) => coding.display ?? "").filter(Boolean);
  const fits = (candidate: string) => isHan(candidate) === (language === "zh");
  return (
    [text, ...displays].find((candidate) => candidate && fits(candidate)) ||
    text ||
    displays[0] ||
    concept?.coding?.[0]?.code ||
    ""
  );
}

/** Value and unit; whoever does not read Han gets the unit's code where it is in Han. */
export function quantityText(quantity: Quantity | undefined, language: Language): string {
  if (quantity?.value === undefined) return "";
  let unit = quantity.unit ?? quantity.code ?? "";
  if (language === "en" && isHan(unit) && quantity.code) unit = quantity.code;
  const gap = unit === "%" || unit === "" || unit === "1" ? "" : " ";
  return `${quantity.comparator ?? ""}${quantity.value}${gap}${unit === "1" ? "" : unit}`;
}

function has(concept: CodeableConcept | undefined, code: string): boolean {
  return Boolean(concept?.coding?.some((coding) => coding.code === code));
}

/** The value[x] of an Observation or of one of its components; "" without one. */
export function valueText(holder: Resource | Record<string, any>, language: Language, zone: string): string {
  if (holder.valueQuantity) return quantityText(holder.valueQuantity, language);
  if (holder.valueCodeableConcept) return conceptText(holder.valueCodeableConcept, language);
  if (holder.valueString !== undefined) return String(holder.valueString);
  if (holder.valueInteger !== undefined) return String(holder.valueInteger);
  if (holder.valueBoolean !== undefined) return word(language, holder.valueBoolean ? "yes" : "no");
  if (holder.valueRange) return rangeText(holder.valueRange, language);
  if (holder.valueRatio)
    return [holder.valueRatio.numerator, holder.valueRatio.denominator]
      .map((one) => quantityText(one, language))
      .join(" : ");
  if (holder.valueTime) return String(holder.valueTime);
  if (holder.valueDateTime) return timeText(holder.valueDateTime, language, zone);
  if (holder.valuePeriod) return periodText(holder.valuePeriod, language, zone);
  if (holder.valueSampledData) return word(language, "waveform");
  return holder.dataAbsentReason ? conceptText(holder.dataAbsentReason, language) : "";
}

export function rangeText(
  range: { low?: Quantity; high?: Quantity }, language: Language,
): string {
  const [low, high] = [range.low, range.high];
  if (low && high) {
    const same = (low.unit ?? "") === (high.unit ?? "");
    return `${same ? low.value : quantityText(low, language)}–${quantityText(high, language)}`;
  }
  if (low) return `≥ ${quantityText(low, language)}`;
  return high ? `≤ ${quantityText(high, language)}` : "";
}

/** What an Observation measured: one value, a blood pressure as 138/86, or its parts. */
export function observationText(observation: Resource, language: Language, zone: string): string {
  const parts: Record<string, any>[] = observation.component ?? [];
  const systolic = parts.find((part) => has(part.code, SYSTOLIC))?.valueQuantity as Quantity;
  const diastolic = parts.find((part) => has(part.code, DIASTOLIC))?.valueQuantity as Quantity;
  const texts: string[] = [];
  if (systolic?.value !== undefined && diastolic?.value !== undefined)
    texts.push(`${systolic.value}/${quantityText(diastolic, language)}`);
  const own = valueText(observation, language, zone);
  if (own && !(texts.length && observation.dataAbsentReason)) texts.push(own);
  for (const part of parts) {
    if (texts.length && (has(part.code, SYSTOLIC) || has(part.code, DIASTOLIC))) continue;
    const value = valueText(part, language, zone);
    if (value) texts.push(`${conceptText(part.code, language)} ${value}`);
  }
  return texts.join(language === "zh" ? "；" : "; ");
}

/** high, low or abnormal, from the interpretation that came with the value; null for normal. */
export function flagOf(observation: Resource): Word | null {
  const all = [observation, ...(observation.component ?? [])] as Record<string, any>[];
  for (const one of all)
    for (const concept of (one.interpretation ?? []) as CodeableConcept[])
      for (const coding of concept.coding ?? [])
        if (coding.code && FLAGS[coding.code]) return FLAGS[coding.code] ?? null;
  return null;
}

/** Bytes for people. */
export function sizeText(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let step = 0;
  for (; bytes >= 1024 && step < units.length - 1; step += 1) bytes /= 1024;
  return `${bytes < 10 && step > 0 ? bytes.toFixed(1) : Math.round(bytes)} ${units[step]}`;
}

export function countText(count: number, language: Language): string {
  return new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en-GB").format(count);
}

