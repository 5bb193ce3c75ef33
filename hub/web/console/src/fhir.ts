// What the console reads of FHIR R4 resources. Numbers may be text: see parse in json.ts.

export interface Coding {
  system?: string;
  code?: string;
  display?: string;
}
export interface CodeableConcept {
  coding?: Coding[];
  text?: string;
}
export interface Quantity {
  value?: number | string;
  comparator?: string;
  unit?: string;
  code?: string;
}
export interface Period {
  start?: string;
  end?: string;
}
export interface Reference {
  reference?: string;
  display?: string;
  identifier?: Identifier;
}
export interface Identifier {
  use?: string;
  type?: CodeableConcept;
  system?: string;
  value?: string;
}
export interface HumanName {
  use?: string;
  text?: string;
  family?: string;
  given?: string[];
  prefix?: string[];
  suffix?: string[];
  period?: Period;
}
export interface Address {
  text?: string;
  line?: string[];
  city?: string;
  district?: string;
  state?: string;
  postalCode?: string;
  country?: string;
}
export interface ContactPoint {
  system?: string;
  value?: string;
  use?: string;
}
// Resources are open: each page reads the few elements it shows.
export interface Resource {
  resourceType: string;
  id?: string;
  [element: string]: any;
}
export interface Patient extends Resource {
  name?: HumanName[];
  gender?: string;
  birthDate?: string;
  deceasedDateTime?: string;
  deceasedBoolean?: boolean;
  active?: boolean;
  telecom?: ContactPoint[];
  address?: Address[];
  identifier?: Identifier[];
  generalPractitioner?: Reference[];
  managingOrganization?: Reference;
}
export interface Bundle extends Resource {
  total?: number;
  link?: { relation: string; url: string }[];
  entry?: { fullUrl?: string; resource?: Resource; search?: { mode?: string } }[];
}

/** The matches of a page, without what was included and without outcomes. */
export function matches(bundle: Bundle): Resource[] {
  return (bundle.entry ?? [])
    .filter((entry) => (entry.search?.mode ?? "match") === "match")
    .flatMap((entry) => (entry.resource ? [entry.resource] : []));
}

/** Where the next page is; null at the end. */
export function nextPage(bundle: Bundle): string | null {
  return bundle.link?.find((link) => link.relation === "next")?.url ?? null;
}
