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
