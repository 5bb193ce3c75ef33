import { useEffect, useState } from "preact/hooks";
import { timeText } from "./dates";
import { typeWord } from "./entries";
import { looks, told, typesOf, type Look, type Told } from "./events";
import { matches, nextPage, type Bundle, type Patient, type Resource } from "./fhir";
import { Heading, Loading, More, Problem, useFrame, useTitle, type Frame } from "./frame";
import { personName } from "./names";
import { patientQuery } from "./patients";
import type { Word } from "./words";

const COUNT = 50;
const MOST_PATIENTS = 20;
const FEW = 3;
const OUTCOMES: [string, Word][] = [["", "any"], ["0", "success"], ["4", "minor"], ["8", "serious"], ["12", "major"]];

export interface Asked {
  who: string;
  patient: string;
  since: string;
  till: string;
  outcome: string;
}

const NOTHING: Asked = { who: "", patient: "", since: "", till: "", outcome: "" };

// Names of patients do not belong into an address, so what was asked is kept here.
let last: { asked: Asked; query: string; note: string } = { asked: NOTHING, query: "", note: "" };

export function forget(): void {
  last = { asked: NOTHING, query: "", note: "" };
}

/** The search parameters of what was asked, patients as references. */
export function auditQuery(asked: Asked, patients: string[] | null): string {
  const parameters = new URLSearchParams();
  const escaped = (value: string) => value.trim().replace(/[\\,|$]/g, "\\$&");
  if (asked.who.trim()) parameters.set("agent-name", escaped(asked.who));
  if (patients) parameters.set("patient", patients.map((id) => `Patient/${id}`).join(","));
  if (asked.since) parameters.append("date", `ge${asked.since}`);
  if (asked.till) parameters.append("date", `le${asked.till}`);
  if (asked.outcome) parameters.set("outcome", asked.outcome);
  return parameters.toString();
}

export function Audit() {
  const frame = useFrame();
  const { t, me } = frame;
  useTitle(t("audit"));
  const [asked, setAsked] = useState(last.asked);
  const [now, setNow] = useState(last);
  const [turn, setTurn] = useState(0);
  const [failure, setFailure] = useState<unknown>(null);
  const [none, setNone] = useState(false);

  const ask = async (event: Event) => {
    event.preventDefault();
    setFailure(null);
    setNone(false);
    try {
      let patients: string[] | null = null;
      let note = "";
      if (asked.patient.trim()) {
        const bundle = await frame.api.fhir<Bundle>(patientQuery(asked.patient));
        patients = matches(bundle).slice(0, MOST_PATIENTS).map((one) => one.id ?? "");
        if (!patients.length) return setNone(true);
        if (nextPage(bundle)) note = t("manyPatients", { count: patients.length });
      }
      last = { asked, query: auditQuery(asked, patients), note };
      setNow(last);
      setTurn(turn + 1);
    } catch (error) {
      setFailure(error);
    }
  };

  const text = (name: "who" | "patient", label: Word, hint: Word) => (
    <p>
      <label for={`audit-${name}`}>{t(label)}</label>
      <input
        id={`audit-${name}`} type="text" value={asked[name]} maxLength={80} autocomplete="off"
        placeholder={t(hint)} spellcheck={false}
        onInput={(event) => setAsked({ ...asked, [name]: event.currentTarget.value })}
      />
    </p>
  );
  const day = (name: "since" | "till", label: Word) => (
    <p>
      <label for={`audit-${name}`}>{t(label)}</label>
      <input
        id={`audit-${name}`} type="date" value={asked[name]}
        onInput={(event) => setAsked({ ...asked, [name]: event.currentTarget.value })}
      />
    </p>
  );

  if (!me.audit)
    return (
      <>
        <Heading>{t("audit")}</Heading>
        <AuditList query="" />
      </>
    );
  return (
    <>
      <Heading>{t("audit")}</Heading>
      <form class="card fields" role="search" onSubmit={ask}>
        {text("who", "who", "whoHint")}
        {text("patient", "whichPatient", "patientHint")}
        {day("since", "since")}
        {day("till", "till")}
        <p>
          <label for="audit-outcome">{t("outcome")}</label>
          <select
            id="audit-outcome" value={asked.outcome}
            onChange={(event) => setAsked({ ...asked, outcome: event.currentTarget.value })}
          >
            {OUTCOMES.map(([code, name]) => <option key={code} value={code}>{t(name)}</option>)}
          </select>
        </p>
        <p class="end"><button type="submit" class="main">{t("search")}</button></p>
      </form>
      {failure ? <Problem failure={failure} /> : null}
      {none ? <p role="status">{t("noSuchPatient")}</p> : null}
      {now.note ? <p class="note">{now.note}</p> : null}
      {none ? null : <AuditList key={`${turn}`} query={now.query} />}
    </>
  );
}

interface Found {
  events: Resource[];
  next: string | null;
  names: Map<string, string>;
}

async function read(frame: Frame, path: string, before: Found | null): Promise<Found> {
  const bundle = await frame.api.fhir<Bundle>(path);
  const events = matches(bundle);
  const names = new Map(before?.names);
  const unknown = new Set(
    events.flatMap((event) => told(event).about)
      .filter((reference) => reference.startsWith("Patient/") && !names.has(reference)),
  );
  if (unknown.size) {
    const ids = [...unknown].map((reference) => reference.slice(8)).join(",");
    try {
      const people = await frame.api.fhir<Bundle>(`Patient?_id=${ids}&_elements=name&_count=${unknown.size}`);
      for (const one of matches(people) as Patient[])
        names.set(`Patient/${one.id}`, personName(one.name));
    } catch {
      // Whoever may read the audit but no patient sees references instead of names.
    }
  }
  return { events: [...(before?.events ?? []), ...events], next: nextPage(bundle), names };
}

/** AuditEvents that a search finds, newest first; `ofOne`: all about the same patient. */
export function AuditList({ query, ofOne = false }: { query: string; ofOne?: boolean }) {
  const frame = useFrame();
  const { t, language } = frame;
  const [found, setFound] = useState<Found | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  const load = async (path: string, before: Found | null) => {
    setBusy(true);
    setFailure(null);
    try {
      setFound(await read(frame, path, before));
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };
  const first = `AuditEvent?${query}${query ? "&" : ""}_count=${COUNT}`;
  useEffect(() => void load(first, null), [query, language]);

  if (failure) return <Problem failure={failure} again={() => void load(first, null)} />;
  if (!found) return <Loading />;
  const events = found.events.map(told);
  const shown = ofOne ? looks(events) : events;
  const columns: Word[] = ["time", "who", "what", ...(ofOne ? [] : ["about" as const]), "outcome"];
  return (
    <>
      <p class="quiet" role="status">
        {!shown.length ? t("auditNone")
          : t(found.next ? "auditMore" : "auditCount", { count: shown.length })}
      </p>
      {shown.length ? (
        <div class="table">
          <table aria-label={t(ofOne ? "whoSaw" : "audit")}>
            <thead>
              <tr>{columns.map((name) => <th key={name} scope="col">{t(name)}</th>)}</tr>
            </thead>
            <tbody>
              {ofOne
                ? looks(events).map((one, index) => <LookRow key={index} one={one} />)
                : events.map((one, index) => <EventRow key={index} one={one} names={found.names} />)}
            </tbody>
          </table>
        </div>
      ) : null}
      {found.next ? <More busy={busy} onClick={() => busy || void load(found.next as string, found)} /> : null}
    </>
  );
}

type Common = Pick<Told, "time" | "who" | "via" | "address">;

function WhenAndWho({ one }: { one: Common }) {
  const { t, language, page } = useFrame();
  return (
    <>
      <td class="when">{timeText(one.time, language, page.zone)}</td>
      <td>
        <b>{one.who}</b>
        {one.via ? <small>{t("via", { app: one.via })}</small> : null}
        {one.address && one.address !== one.who ? <small>{t("at", { address: one.address })}</small> : null}
      </td>
    </>
  );
}

function Outcome({ one }: { one: Pick<Told, "good" | "outcome" | "reason"> }) {
  const { t } = useFrame();
  return (
    <td>
      <span class={one.good ? "good" : "bad"}>{t(one.outcome)}</span>
      {one.reason ? <small>{one.reason}</small> : null}
    </td>
  );
}

function LookRow({ one }: { one: Look }) {
  const { t, language } = useFrame();
  const comma = language === "zh" ? "、" : ", ";
  const types = one.types.map((type) => {
    const known = typeWord(type);
    return known ? t(known) : type;
  });
  return (
    <tr>
      <WhenAndWho one={one} />
      <td>
        {one.actions.map((action) => t(action)).join(comma)}
        {types.length ? <small>{[...new Set(types)].join(comma)}</small> : null}
      </td>
      <Outcome one={one} />
    </tr>
  );
}

function EventRow({ one, names }: { one: Told; names: Map<string, string> }) {
  const { t } = useFrame();
  const patients = one.about.filter((reference) => reference.startsWith("Patient/"));
  const accounts = one.about.filter((name) => !/^[A-Z]/.test(name));
  const types = typesOf(one).filter((type) => type !== "Patient" || !patients.length);
  const link = (reference: string) => (
    <a key={reference} href={`#/patients/${reference.slice(8)}`}>{names.get(reference) || reference}</a>
  );
  return (
    <tr>
      <WhenAndWho one={one} />
      <td>
        {t(one.action)}
        {one.detail ? <small>{one.detail}</small> : null}
        {one.query ? (
          <details>
            <summary>{one.query.split("?")[0]}</summary>
            <small>{one.query}</small>
          </details>
        ) : null}
      </td>
      <td>
        {patients.slice(0, FEW).map(link)}
        {patients.length > FEW ? (
          <details>
            <summary>{t("andMore", { count: patients.length - FEW })}</summary>
            {patients.slice(FEW).map(link)}
          </details>
        ) : null}
        {types.length && !one.query ? <small>{types.join(", ")}</small> : null}
        {accounts.length ? <small>{accounts.join(", ")}</small> : null}
      </td>
      <Outcome one={one} />
    </tr>
  );
}
