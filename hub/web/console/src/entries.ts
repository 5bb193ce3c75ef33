// What stands in a patient's timeline: which types, how each is searched, and one line for each.
import { codeText } from "./codes";
import { periodText, startOf } from "./dates";
import type { Reference, Resource } from "./fhir";
import { referenceText } from "./names";
import type { Word } from "./words";
import { conceptText, flagOf, observationText, quantityText, rangeText } from "./values";
import { word, type Language } from "./words";

export interface Entry {
  key: string;
  kind: Kind;
  /** When it begins, as written; "" without. */
  when: string;
  /** The same in milliseconds; -Infinity without. */
  at: number;
  resource: Resource;
}

export interface Line {
  title: string;
  value: string;
  flag: Word | null;
  details: string[];
  /** It says of itself that it should not be there. */
  wrong: boolean;
}

export interface Kind {
  type: string;
  /** Sorts newest first. */
  sort: string;
  group: Word;
  /** What one of them is called. */
  label: Word;
  /** Element paths that may hold its date, first wins. */
  dates: string[];
}

export const KINDS: Kind[] = [
  kind("Encounter", "date", "kindVisits", "oneVisit", "period.start"),
  kind("Appointment", "date", "kindVisits", "oneAppointment", "start", "created"),
  kind("Observation", "date", "kindMeasures", "oneMeasure", "effectiveDateTime",
    "effectiveInstant", "effectivePeriod.start", "issued"),
  kind("DiagnosticReport", "date", "kindMeasures", "oneReport", "effectiveDateTime",
    "effectivePeriod.start", "issued"),
  kind("Condition", "recorded-date", "kindProblems", "oneProblem", "recordedDate",
    "onsetDateTime", "onsetPeriod.start"),
  kind("AllergyIntolerance", "date", "kindProblems", "oneAllergy", "recordedDate",
    "onsetDateTime"),
  kind("MedicationRequest", "authoredon", "kindMedicines", "oneMedicine", "authoredOn"),
  kind("Immunization", "date", "kindMedicines", "oneVaccine", "occurrenceDateTime"),
  kind("CarePlan", "date", "kindPlans", "onePlan", "period.start", "created"),
  kind("ServiceRequest", "authored", "kindOrders", "oneOrder", "authoredOn",
    "occurrenceDateTime"),
  kind("Procedure", "date", "kindVisits", "oneProcedure", "performedDateTime",
    "performedPeriod.start"),
  kind("DocumentReference", "date", "kindDocuments", "oneDocument", "date",
    "context.period.start"),
  kind("Consent", "date", "kindDocuments", "oneConsent", "dateTime"),
];

export const GROUPS: Word[] = [...new Set(KINDS.map((one) => one.group))];

/** What one resource of a type is called, where the timeline shows it. */
export function typeWord(type: string): Word | null {
  if (type === "Patient") return "oneself";
  if (type === "AuditEvent") return "accessLog";
  return KINDS.find((one) => one.type === type)?.label ?? null;
}

function kind(type: string, sort: string, group: Word, label: Word, ...dates: string[]): Kind {
  return { type, sort, group, label, dates };
}

function at(resource: Resource, path: string): unknown {
  return path.split(".").reduce<any>((value, step) => value?.[step], resource);
}

export function entryOf(kind: Kind, resource: Resource): Entry {
  const when = kind.dates.map((path) => at(resource, path)).find((found) => typeof found === "string");
  const start = startOf(when as string | undefined);
  return {
    key: `${resource.resourceType}/${resource.id}`,
    kind,
    when: (when as string | undefined) ?? "",
    at: Number.isNaN(start) ? -Infinity : start,
    resource,
  };
}

function classText(encounter: Resource, language: Language): string {
  return conceptText({ coding: [encounter.class ?? {}] }, language);
}

type Writer = (resource: Resource, language: Language, zone: string) => Partial<Line>;

function people(...references: (Reference | undefined)[]): string[] {
  return references.map(referenceText).filter((text) => text && !/^[A-Z][A-Za-z]+\//.test(text));
}

const WRITERS: Record<string, Writer> = {
  Encounter: (one, language) => ({
    title: conceptText(one.type?.[0], language) || classText(one, language),
    details: [
      ...(one.reasonCode ?? []).map((reason: object) => conceptText(reason, language)),
      ...people(...(one.participant ?? []).map((part: any) => part.individual), one.serviceProvider),
      one.type ? classText(one, language) : "",
      one.status === "finished" ? "" : codeText(one.status, language),
    ],
  }),
  Appointment: (one, language) => ({
    title: one.description || conceptText(one.serviceType?.[0] ?? one.appointmentType, language),
    details: [...people(...(one.participant ?? []).map((part: any) => part.actor)), codeText(one.status, language)],
  }),
  Observation: (one, language, zone) => ({
    title: conceptText(one.code, language),
    value: observationText(one, language, zone),
    flag: flagOf(one),
    details: (one.referenceRange ?? []).slice(0, 1).map((range: any) => {
      const text = range.text || rangeText(range, language);
      return text && word(language, "usual", { range: text });
    }),
  }),
  DiagnosticReport: (one, language) => ({
    title: conceptText(one.code, language),
    details: [one.conclusion, ...people(...(one.performer ?? []))],
  }),
  Condition: (one, language) => ({
    title: conceptText(one.code, language),
    details: [conceptText(one.clinicalStatus, language), ...people(one.recorder)],
  }),
  AllergyIntolerance: (one, language) => ({
    title: conceptText(one.code, language),
    details: [codeText(one.criticality, language), ...people(one.recorder)],
  }),
  MedicationRequest: (one, language) => ({
    title: conceptText(one.medicationCodeableConcept, language) || referenceText(one.medicationReference),
    details: [
      ...(one.dosageInstruction ?? []).map(
        (dose: any) => dose.text || quantityText(dose.doseAndRate?.[0]?.doseQuantity, language),
      ),
      ...people(one.requester),
      codeText(one.status, language),
    ],
  }),
  Immunization: (one, language) => ({
    title: conceptText(one.vaccineCode, language),
    details: [one.lotNumber ?? "", codeText(one.status, language)],
  }),
  CarePlan: (one, language, zone) => ({
    title: one.title || conceptText(one.category?.[0], language),
    details: [periodText(one.period, language, zone), one.description, ...people(one.author), codeText(one.status, language)],
  }),
  ServiceRequest: (one, language) => ({
    title: conceptText(one.code ?? one.category?.[0], language),
    details: [
      ...(one.reasonCode ?? []).map((reason: object) => conceptText(reason, language)),
      ...people(one.requester, ...(one.performer ?? [])),
      codeText(one.status, language),
    ],
  }),
  Procedure: (one, language) => ({
    title: conceptText(one.code, language),
    details: [...people(...(one.performer ?? []).map((part: any) => part.actor)), codeText(one.status, language)],
  }),
  DocumentReference: (one, language) => ({
    title: one.description || conceptText(one.type ?? one.category?.[0], language) ||
      one.content?.[0]?.attachment?.title,
    details: [
      one.description ? conceptText(one.type, language) : "",
      one.content?.[0]?.attachment?.contentType,
      ...people(...(one.author ?? [])),
    ],
  }),
  Consent: (one, language) => ({
    title: conceptText(one.category?.[0] ?? one.scope, language),
    details: [periodText(one.provision?.period, language, "UTC"), codeText(one.status, language)],
  }),
};

/** An entry in words. */
export function lineOf(entry: Entry, language: Language, zone: string): Line {
  const written = WRITERS[entry.resource.resourceType]?.(entry.resource, language, zone) ?? {};
  return {
    title: written.title || entry.resource.resourceType,
    value: written.value ?? "",
    flag: written.flag ?? null,
    details: [...new Set((written.details ?? []).filter(Boolean))],
    wrong: [entry.resource.status, entry.resource.verificationStatus?.coding?.[0]?.code].includes(
      "entered-in-error",
    ),
  };
}
