import { useEffect, useRef, useState } from "preact/hooks";
import { ageText, dayText, startOf } from "./dates";
import { matches, nextPage, type Bundle, type Patient } from "./fhir";
import { Heading, Loading, More, Problem, recordWord, useFrame, useTitle, type Frame } from "./frame";
import { personName } from "./names";
import type { Word } from "./words";

const PAUSE = 250;
const COUNT = 20;
const FIELDS = "_elements=name,gender,birthDate,deceased,identifier,active";

interface Found {
  patients: Patient[];
  next: string | null;
}

// What was looked for last, so that coming back shows it; in memory, not in the address:
// names of patients do not belong into a browser's history.
let last: { text: string; found: Found | null } = { text: "", found: null };

export function forget(): void {
  last = { text: "", found: null };
}

/** The search for what was typed: digits are a number of the patient, all else names. */
export function patientQuery(text: string): string {
  const words = text.trim().split(/\s+/).filter(Boolean);
  const compact = words.join("");
  const parameters = new URLSearchParams();
  if (/^[\d-]{11}$/.test(compact) && compact.startsWith("1")) parameters.set("phone", compact);
  else if (/^\d{4,}[\dXx]?$/.test(compact)) parameters.set("identifier", compact);
  else for (const one of words) parameters.append("name", one.replace(/[\\,|$]/g, "\\$&"));
  if (!words.length) parameters.set("_sort", "-_lastUpdated");
  return `Patient?${parameters}${parameters.size ? "&" : ""}${FIELDS}&_count=${COUNT}`;
}

async function read(frame: Frame, path: string, signal?: AbortSignal): Promise<Found> {
  const bundle = await frame.api.fhir<Bundle>(path, signal);
  return { patients: matches(bundle) as Patient[], next: nextPage(bundle) };
}

export function Patients() {
  const frame = useFrame();
  const { t } = frame;
  const title = t(recordWord(frame.me));
  useTitle(title);
  const [text, setText] = useState(last.text);
  const [found, setFound] = useState<Found | null>(last.found);
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [turn, setTurn] = useState(0);
  const composing = useRef(false);
  const first = useRef(true);

  useEffect(() => {
    const wait = first.current ? 0 : PAUSE;
    if (first.current && last.found) {
      first.current = false;
      return undefined;
    }
    first.current = false;
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      setBusy(true);
      try {
        const result = await read(frame, patientQuery(text), stop.signal);
        last = { text, found: result };
        setFound(result);
        setFailure(null);
      } catch (error) {
        if (!stop.signal.aborted) {
          setFailure(error);
          setFound(null);
        }
      }
      if (!stop.signal.aborted) setBusy(false);
    }, wait);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text, turn, frame.language]);

  const further = async () => {
    if (!found?.next || busy) return;
    setBusy(true);
    try {
      const page = await read(frame, found.next);
      const result = { patients: [...found.patients, ...page.patients], next: page.next };
      last = { text, found: result };
      setFound(result);
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };

  // The field keeps its own text: setting it while an input method composes would break that.
  const typed = (value: string) => {
    // While a Chinese input method composes, what stands there is not meant yet.
    if (!composing.current) setText(value);
  };

  return (
    <>
      <Heading>{title}</Heading>
      <form role="search" onSubmit={(event) => { event.preventDefault(); setTurn(turn + 1); }}>
        <label for="find">{t("findLabel")}</label>
        <input
          id="find" type="search" autocomplete="off" spellcheck={false} enterkeyhint="search"
          maxLength={80} defaultValue={last.text} aria-describedby="find-hint"
          onCompositionStart={() => { composing.current = true; }}
          onCompositionEnd={(event) => { composing.current = false; typed(event.currentTarget.value); }}
          onInput={(event) => typed(event.currentTarget.value)}
        />
        <p id="find-hint" class="hint">{t("findHint")}</p>
      </form>
      {failure ? <Problem failure={failure} again={() => setTurn(turn + 1)} /> : null}
      {!found && !failure ? <Loading /> : null}
      {found ? (
        <>
          <p class="quiet" role="status">
            {!found.patients.length ? t("foundNone")
              : t(found.next ? "foundMore" : "found", { count: found.patients.length })}
          </p>
          <ul class="people">
            {found.patients.map((patient) => <Row key={patient.id} patient={patient} />)}
          </ul>
          {found.next ? <More onClick={further} busy={busy} /> : null}
        </>
      ) : null}
    </>
  );
}

function Row({ patient }: { patient: Patient }) {
  const { t, language } = useFrame();
  const record = patient.identifier?.find((one) => one.use !== "official")?.value;
  return (
    <li>
      <a href={`#/patients/${patient.id}`}>
        <span class="name">
          {personName(patient.name) || t("noName")}
          {isDead(patient) ? <small class="tag">{t("dead")}</small> : null}
          {patient.active === false ? <small class="tag">{t("inactive")}</small> : null}
        </span>
        <span class="facts-line">
          <span>{sexText(patient, t)}</span>
          <span>{ageOf(patient, language)}</span>
          <span class="quiet">{record ?? ""}</span>
        </span>
      </a>
    </li>
  );
}

export function isDead(patient: Patient): boolean {
  return Boolean(patient.deceasedDateTime || patient.deceasedBoolean);
}

/** Age today, or at death. */
export function ageOf(patient: Patient, language: Frame["language"]): string {
  if (patient.deceasedBoolean && !patient.deceasedDateTime)
    return dayText(patient.birthDate, language, "UTC");
  const at = patient.deceasedDateTime ? startOf(patient.deceasedDateTime) : Date.now();
  return ageText(patient.birthDate, at, language);
}

export function sexText(patient: Patient, t: Frame["t"]): string {
  const known: Record<string, Word> = { male: "male", female: "female", other: "other" };
  return patient.gender ? t(known[patient.gender] ?? "unknown") : "";
}
