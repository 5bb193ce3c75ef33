import { useEffect, useState } from "preact/hooks";
import { Refused } from "./api";
import { AuditList } from "./audit";
import { codeText } from "./codes";
import { clockText, dayKey, dayText } from "./dates";
import { GROUPS, KINDS, lineOf, type Entry } from "./entries";
import type { Bundle, Patient } from "./fhir";
import { Facts, Heading, Loading, More, Problem, ownRecord, useFrame, useLoaded, useTitle, type App } from "./frame";
import { addressText, masked, personName, referenceText } from "./names";
import { ageOf, isDead, sexText } from "./patients";
import { advance, hasMore, ready, streamsOf, type Stream } from "./timeline";
import { conceptText } from "./values";
import type { Word } from "./words";

export function PatientPage({ id, part }: { id: string; part: string }) {
  const { t, api, language, page } = useFrame();
  const patient = useLoaded((signal) => api.fhir<Patient>(`Patient/${encodeURIComponent(id)}`, signal), [id, language]);
  const person = patient.value;
  const name = person ? personName(person.name) || t("noName") : "";
  useTitle(name);
  if (patient.failure)
    return (
      <>
        <Heading>{t("patients")}</Heading>
        <Problem failure={patient.failure} again={patient.again} />
        <Back />
      </>
    );
  if (!person) return <Loading />;
  const zone = page.zone;
  const born = dayText(person.birthDate, language, zone);
  const phone = person.telecom?.find((one) => one.system === "phone" && one.use !== "old")?.value;
  return (
    <>
      <Back />
      <header class="card person">
        <Heading>{name}</Heading>
        <p class="lead">
          {[sexText(person, t), ageOf(person, language), born && `${t("born")} ${born}`]
            .filter(Boolean).map((one) => <span key={one}>{one}</span>)}
          {isDead(person) ? (
            <span class="tag">{t("dead")} {dayText(person.deceasedDateTime, language, zone)}</span>
          ) : null}
          {person.active === false ? <span class="tag">{t("inactive")}</span> : null}
        </p>
        <details>
          <summary>{t("details")}</summary>
          <Facts
            facts={[
              [t("phone"), phone ? <a href={`tel:${phone}`}>{phone}</a> : ""],
              [t("doctor"), (person.generalPractitioner ?? []).map(referenceText).join(", ")],
              [t("address"), person.address?.[0] ? addressText(person.address[0]) : ""],
              [t("identifiers"), person.identifier?.length ? (
                <ul class="plain">
                  {person.identifier.map((one) => (
                    <li key={one.value}>
                      {masked(one)} <span class="quiet">{conceptText(one.type, language)}</span>
                    </li>
                  ))}
                </ul>
              ) : ""],
            ]}
          />
        </details>
        <Apps patient={id} />
      </header>
      <nav class="tabs" aria-label={name}>
        <a href={`#/patients/${id}`} aria-current={part ? undefined : "page"}>{t("timeline")}</a>
        <a href={`#/patients/${id}/audit`} aria-current={part ? "page" : undefined}>{t("whoSaw")}</a>
      </nav>
      {part ? (
        <>
          <h2 class="unseen">{t("whoSaw")}</h2>
          <p class="hint">{t("whoSawText")}</p>
          <AuditList query={`patient=Patient/${encodeURIComponent(id)}`} ofOne />
        </>
      ) : <Timeline id={id} />}
    </>
  );
}

function Back() {
  const { t, me } = useFrame();
  if (ownRecord(me)) return null;
  return <p class="back"><a href="#/patients">← {t("back")}</a></p>;
}

function Apps({ patient }: { patient: string }) {
  const { t, api, me, page } = useFrame();
  const [failure, setFailure] = useState<unknown>(null);
  if (!me.apps.length || page.auth === "off") return null;
  // The app gets a launch token for this patient, made by the hub (SMART EHR launch).
  const open = async (app: App) => {
    setFailure(null);
    try {
      const made = await api.post<{ url: string }>("auth/launch", { client: app.id, patient });
      location.assign(made.url);
    } catch (error) {
      setFailure(error);
    }
  };
  return (
    <div class="row">
      {me.apps.map((app) => (
        <button type="button" key={app.id} onClick={() => void open(app)}>
          {t("openIn", { app: app.name })}
        </button>
      ))}
      {failure ? <Problem failure={failure} /> : null}
    </div>
  );
}

function Timeline({ id }: { id: string }) {
  const { t, api, language } = useFrame();
  const [group, setGroup] = useState<Word | "">("");
  const [streams, setStreams] = useState<Stream[] | null>(null);
  const [busy, setBusy] = useState(true);
  const read = (path: string, signal?: AbortSignal) => api.fhir<Bundle>(path, signal);

  useEffect(() => {
    const stop = new AbortController();
    const kinds = group ? KINDS.filter((one) => one.group === group) : KINDS;
    setStreams(null);
    setBusy(true);
    advance(streamsOf(kinds, `Patient/${id}`), (path) => read(path, stop.signal))
      .then((found) => { setStreams(found); setBusy(false); })
      .catch(() => undefined);
    return () => stop.abort();
  }, [id, group, language]);

  const further = async () => {
    if (!streams || busy) return;
    setBusy(true);
    setStreams(await advance(streams, read));
    setBusy(false);
  };

  return (
    <>
      <h2 class="unseen">{t("timeline")}</h2>
      <div class="choices" role="group" aria-label={t("show")}>
        {(["", ...GROUPS] as (Word | "")[]).map((one) => (
          <button key={one} type="button" aria-pressed={one === group} onClick={() => setGroup(one)}>
            {t(one || "kindAll")}
          </button>
        ))}
      </div>
      {streams ? <Shown streams={streams} /> : <Loading />}
      {streams && hasMore(streams) ? <More onClick={further} busy={busy} /> : null}
    </>
  );
}

function Shown({ streams }: { streams: Stream[] }) {
  const { t, language, page } = useFrame();
  const entries = ready(streams);
  const failed = streams.filter((one) => one.failure !== null);
  const denied = (one: Stream) => one.failure instanceof Refused && one.failure.status === 403;
  if (failed.length === streams.length && failed[0]) return <Problem failure={failed[0].failure} />;
  const days = new Map<string, Entry[]>();
  for (const entry of entries) {
    const day = dayKey(entry.when, page.zone);
    days.set(day, [...(days.get(day) ?? []), entry]);
  }
  return (
    <>
      {note("notAllowedKinds", failed.filter(denied))}
      {note("brokenKinds", failed.filter((one) => !denied(one)))}
      {entries.length ? (
        <ol class="days">
          {[...days].map(([day, of]) => (
            <li key={day}>
              <h3>{day ? dayText(of[0]?.when, language, page.zone) : t("noDate")}</h3>
              <ul>
                {of.map((entry, index) => (
                  <Item key={entry.key} entry={entry} again={of[index - 1]?.kind === entry.kind} />
                ))}
              </ul>
            </li>
          ))}
        </ol>
      ) : <p class="quiet" role="status">{t("nothingRecorded")}</p>}
      {entries.length && !hasMore(streams) ? <p class="quiet">{t("endOfRecord")}</p> : null}
    </>
  );

  function note(key: Word, of: Stream[]) {
    const kinds = of.map((one) => t(one.kind.label)).join(language === "zh" ? "、" : ", ");
    return of.length ? <p class="note" role="note">{t(key, { kinds })}</p> : null;
  }
}

/** One entry; `again`: the one before it is of the same kind, which need not be said twice. */
function Item({ entry, again }: { entry: Entry; again: boolean }) {
  const { t, language, page } = useFrame();
  const line = lineOf(entry, language, page.zone);
  return (
    <li class={`item ${entry.kind.group}`}>
      <span class="clock">{clockText(entry.when, language, page.zone)}</span>
      <span class="what">
        <span class={again ? "kind again" : "kind"}><span class={again ? "unseen" : ""}>{t(entry.kind.label)}</span></span>
        <span class={line.wrong ? "title wrong" : "title"}>{line.title}</span>
        {line.value ? <b class="value">{line.value}</b> : null}
        {line.wrong ? <span class="tag flag">{codeText("entered-in-error", language)}</span> : null}
        {line.flag ? <span class="tag flag">{t(line.flag)}</span> : null}
        {line.details.length ? <span class="quiet">{line.details.join(" · ")}</span> : null}
      </span>
    </li>
  );
}
