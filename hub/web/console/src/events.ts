// AuditEvents in words: who did what to what, with what outcome.
import type { Coding, Reference, Resource } from "./fhir";
import { referenceText } from "./names";
import type { Word } from "./words";

const ACTIONS: Record<string, Word> = {
  C: "actionC", R: "actionR", U: "actionU", D: "actionD", E: "actionE",
};
// DICOM codes of logins and of the hub's own start and stop, and interactions that say more
// than their action does.
const SAID: Record<string, Word> = {
  "110122": "login",
  "110123": "logout",
  "110113": "alert",
  "110120": "started",
  "110121": "stopped",
  search: "searched",
  "search-type": "searched",
  "search-system": "searched",
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
  outcome: Word;
  good: boolean;
  reason: string;
  /** References of what it was about. */
  about: string[];
}

interface Agent {
  requestor?: boolean;
  who?: Reference;
  name?: string;
  altId?: string;
  network?: { address?: string };
  type?: { coding?: Coding[] };
}

export function told(event: Resource): Told {
  const agents: Agent[] = event.agent ?? [];
  const person = agents.find((one) => one.requestor) ?? agents[0];
  const codes: string[] = [...(event.subtype ?? []), event.type]
    .map((one: Coding | undefined) => one?.code ?? "")
    .filter(Boolean);
  const said = codes.map((code) => SAID[code]).find(Boolean);
  const outcome = event.outcome ?? "0";
  const others = agents.filter((one) => one !== person && nameOf(one));
  return {
    time: event.recorded ?? "",
    who: nameOf(person),
    via: others.map(nameOf).find((name) => name !== nameOf(person)) ?? "",
    address: agents.map((one) => one.network?.address).find(Boolean) ?? "",
    action: said ?? ACTIONS[event.action] ?? "actionE",
    detail: said ? "" : (codes[0] ?? ""),
    outcome: OUTCOMES[outcome] ?? "serious",
    good: outcome === "0",
    reason: event.outcomeDesc ?? "",
    about: [...new Set<string>(
      (event.entity ?? [])
        .map((one: { what?: Reference }) => one.what?.reference ?? "")
        .map((reference: string) => reference.replace(/\/_history\/.*$/, ""))
        .filter(Boolean),
    )],
  };
}

function nameOf(agent: Agent | undefined): string {
  return agent?.name || agent?.altId || referenceText(agent?.who);
}
