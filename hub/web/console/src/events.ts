// AuditEvents in words: who did what to what, with what outcome. Shapes: hub/audit/event.py.
import type { Coding, Reference, Resource } from "./fhir";
import { referenceText } from "./names";
import type { Word } from "./words";

const OWN = "urn:fhir-hub:operation";
const IP = "2";
const QUERY_ROLE = "24";
const ACTIONS: Record<string, Word> = {
  C: "actionC", R: "actionR", U: "actionU", D: "actionD",
};
// What says more than the action does: codes of DICOM and of the hub, and searches.
const SAID: Record<string, Word> = {
  "110122": "didLogin",
  "110123": "didLogout",
  "110120": "didStart",
  "110121": "didStop",
  search: "didSearch",
  transaction: "didStore",
  batch: "didBatch",
  authorize: "didAuthorize",
  token: "didToken",
  refresh: "didRefresh",
  introspect: "didIntrospect",
  revoke: "didRevoke",
  launch: "didLaunch",
  form: "didForm",
  password: "didPassword",
  register: "didRegister",
  unclean: "didUnclean",
};
const OUTCOMES: Record<string, Word> = { "0": "success", "4": "minor", "8": "serious", "12": "major" };

export interface Told {
  time: string;
  who: string;
  via: string;
  address: string;
  action: Word;
  /** The interaction's own code, where it says more: `$everything`, `vread` ... */
  detail: string;
  /** The search, as it was asked. */
  query: string;
  outcome: Word;
  good: boolean;
  reason: string;
  /** References of what it was about; of accounts and clients their names. */
  about: string[];
}

interface Agent {
  requestor?: boolean;
  who?: Reference;
  name?: string;
  altId?: string;
  network?: { address?: string; type?: string };
}

interface Entity {
  what?: Reference;
  role?: Coding;
  type?: Coding;
  description?: string;
}

export function told(event: Resource): Told {
  const agents: Agent[] = event.agent ?? [];
  const person = agents.find((one) => one.requestor) ?? agents[0];
  const subtypes: Coding[] = event.subtype ?? [];
  const said = subtypes.map((one) => SAID[one.code ?? ""]).find(Boolean);
  const own = subtypes.find((one) => one.system === OWN) ?? subtypes[0];
  const entities: Entity[] = event.entity ?? [];
  const outcome = event.outcome ?? "0";
  return {
    time: event.recorded ?? "",
    who: nameOf(person),
    via: agents.find((one) => one !== person && one.altId)?.altId ?? "",
    address: agents.find((one) => one.network?.type === IP)?.network?.address ?? "",
    action: said ?? ACTIONS[event.action] ?? "actionE",
    detail: said ? "" : (own?.code ?? ""),
    query: entities.find((one) => one.role?.code === QUERY_ROLE)?.description ?? "",
    outcome: OUTCOMES[outcome] ?? "serious",
    good: outcome === "0",
    reason: event.outcomeDesc ?? "",
    about: [...new Set(entities.map(targetOf).filter(Boolean))],
  };
}

function targetOf(entity: Entity): string {
  if (entity.type?.code === "XrequestId") return "";
  const named = entity.what?.reference ?? entity.what?.identifier?.value ?? "";
  return named.includes("/") ? named.replace(/\/_history\/.*$/, "") : "";
}

function nameOf(agent: Agent | undefined): string {
  return agent?.name || agent?.altId || referenceText(agent?.who);
}

/** What somebody did at one time with a record: consecutive events that belong together. */
export interface Look {
  time: string;
  who: string;
  via: string;
  address: string;
  outcome: Word;
  good: boolean;
  reason: string;
  actions: Word[];
  /** Resource types. */
  types: string[];
}

/** Within so many milliseconds, events of the same person, app and place are one look. */
const TOGETHER = 120_000;

/** Events about one patient, newest first, those that belong together as one. */
export function looks(events: Told[]): Look[] {
  const found: Look[] = [];
  for (const one of events) {
    const before = found.at(-1);
    const types = typesOf(one);
    if (before && isSame(before, one)) {
      before.actions = [...new Set([...before.actions, one.action])];
      before.types = [...new Set([...before.types, ...types])];
    } else {
      const { time, who, via, address, outcome, good, reason } = one;
      found.push({ time, who, via, address, outcome, good, reason, actions: [one.action], types });
    }
  }
  return found;
}

function isSame(look: Look, one: Told): boolean {
  const apart = Date.parse(look.time) - Date.parse(one.time);
  const fields = ["who", "via", "address", "outcome", "reason"] as const;
  return apart <= TOGETHER && fields.every((field) => look[field] === one[field]);
}

/** Types that an event was about: of what it searched, else of what it touched. */
export function typesOf(one: Told): string[] {
  const searched = /^[A-Z][A-Za-z]+/.exec(one.query)?.[0];
  if (searched) return [searched];
  const types = one.about.map((name) => name.split("/")[0] ?? "").filter((type) => /^[A-Z]/.test(type));
  const others = types.filter((type) => type !== "Patient");
  return [...new Set(others.length ? others : types)];
}
