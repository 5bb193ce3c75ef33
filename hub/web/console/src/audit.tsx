import { useEffect, useState } from "preact/hooks";
import { timeText } from "./dates";
import { told, type Told } from "./events";
import { matches, nextPage, type Bundle, type Patient, type Resource } from "./fhir";
import { Heading, Loading, More, Problem, useFrame, useTitle, type Frame } from "./frame";
import { personName } from "./names";
import { patientQuery } from "./patients";
import type { Word } from "./words";

const COUNT = 50;
const MOST_PATIENTS = 20;
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
        <AuditList query="" patientShown />
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
      {none ? null : <AuditList key={`${turn}`} query={now.query} patientShown />}
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

/** AuditEvents that a search finds, newest first. */
export function AuditList({ query, patientShown }: { query: string; patientShown: boolean }) {
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
  return (
    <>
      <p class="quiet" role="status">
        {!found.events.length ? t("auditNone")
          : t(found.next ? "auditMore" : "auditCount", { count: found.events.length })}
      </p>
      {found.events.length ? (
        <div class="table" role="region" aria-label={t("audit")} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("time")}</th>
                <th scope="col">{t("who")}</th>
                <th scope="col">{t("what")}</th>
                {patientShown ? <th scope="col">{t("about")}</th> : null}
                <th scope="col">{t("outcome")}</th>
              </tr>
            </thead>
            <tbody>
              {found.events.map((event) => (
                <Row key={event.id} one={told(event)} names={found.names} patientShown={patientShown} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {found.next ? <More busy={busy} onClick={() => busy || void load(found.next as string, found)} /> : null}
    </>
  );
}

function Row({ one, names, patientShown }: { one: Told; names: Map<string, string>; patientShown: boolean }) {
  const { t, language, page } = useFrame();
  const patients = one.about.filter((reference) => reference.startsWith("Patient/"));
  const others = one.about.filter((reference) => !reference.startsWith("Patient/"));
  // Of many resources their types say enough; accounts and apps have names.
  const kinds = [...new Set(others.map((one) => (/^[A-Z]/.test(one) ? one.split("/")[0] : one)))].join(", ");
  return (
    <tr>
      <td class="when">{timeText(one.time, language, page.zone)}</td>
      <td>
        <b>{one.who}</b>
        {one.via ? <small>{t("via", { app: one.via })}</small> : null}
        {one.address ? <small>{t("at", { address: one.address })}</small> : null}
      </td>
      <td>
        {t(one.action)}
        {one.detail ? <small>{one.detail}</small> : null}
        {one.query ? <small>{one.query}</small> : null}
        {!patientShown && kinds ? <small>{kinds}</small> : null}
      </td>
      {patientShown ? (
        <td>
          {patients.map((reference) => (
            <a key={reference} href={`#/patients/${reference.slice(8)}`}>
              {names.get(reference) || reference}
            </a>
          ))}
          {kinds ? <small>{kinds}</small> : null}
        </td>
      ) : null}
      <td>
        <span class={one.good ? "good" : "bad"}>{t(one.outcome)}</span>
        {one.reason ? <small>{one.reason}</small> : null}
      </td>
    </tr>
  );
}
