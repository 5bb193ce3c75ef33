// Messages of hospitals: what came in and went out, what is held up, and what can be done about it.
import { useEffect, useState } from "preact/hooks";
import { timeText } from "./dates";
import { Facts, Heading, Loading, More, Problem, Section, useFrame, useLoaded, useTitle } from "./frame";
import { countText } from "./values";
import type { Word } from "./words";

type Direction = "in" | "out";

/** As adapters/hl7v2/told.py tells it. */
export interface Message {
  direction: Direction;
  row: number;
  state: string;
  peer: string;
  sender?: string;
  kind: string;
  controlId: string;
  time: string;
  repeats?: number;
  attempts?: number;
  focus?: string;
  reasons: string[];
}

interface Whole extends Message {
  text: string;
  answer: string;
}

interface Counted {
  direction: Direction;
  peer: string;
  reconciles?: boolean;
  [state: string]: unknown;
}

interface Messages {
  messages: Message[];
  counts: Counted[];
  more: boolean;
}

interface Destination {
  name: string;
  host: string;
  port: number;
  state: "open" | "paused" | "unreachable";
  next: string;
  queued: number;
  accepted: number;
  refused: number;
  reasons: string[];
}

const STATES: Record<Direction, string[]> = {
  in: ["quarantined", "waiting", "stored"],
  out: ["queued", "accepted", "refused", "done"],
};
const WORDS: Record<string, Word> = {
  quarantined: "stateQuarantined",
  waiting: "stateWaiting",
  stored: "stateStored",
  queued: "stateQueued",
  accepted: "stateAccepted",
  refused: "stateRefused",
  done: "stateDone",
  open: "destinationOpen",
  paused: "destinationPaused",
  unreachable: "destinationUnreachable",
};
const BAD = new Set(["quarantined", "refused", "unreachable"]);
/** The hub has mostly worked on a message again by then, in milliseconds. */
const LOOK_AGAIN_AFTER = 2000;

/** Where a list of messages is read. */
export function listPath(direction: Direction, state: string, before: number | null): string {
  const asked = new URLSearchParams({ direction });
  if (state) asked.set("state", state);
  if (before !== null) asked.set("before", String(before));
  return `console/messages?${asked}`;
}

function State({ state }: { state: string }) {
  const { t } = useFrame();
  const known = WORDS[state];
  return <span class={BAD.has(state) ? "tag flag" : "tag"}>{known ? t(known) : state}</span>;
}

export function MessagesPage() {
  const { t, api, language } = useFrame();
  useTitle(t("messages"));
  const [direction, setDirection] = useState<Direction>("in");
  const [state, setState] = useState("");
  const first = useLoaded(
    (signal) => api.own<Messages>(listPath(direction, state, null), signal), [direction, state, language], 5,
  );
  const counts = (first.value?.counts ?? []).filter((one) => one.direction === "in");
  return (
    <>
      <Heading>{t("messages")}</Heading>
      <Destinations />
      {counts.length ? <Section title={t("messageCounts")}><Counts counts={counts} /></Section> : null}
      <div class="choices" role="group" aria-label={t("direction")}>
        {(["in", "out"] as const).map((one) => (
          <button
            key={one} type="button" aria-pressed={one === direction}
            onClick={() => { setDirection(one); setState(""); }}
          >
            {t(one === "in" ? "messagesIn" : "messagesOut")}
          </button>
        ))}
      </div>
      <div class="choices" role="group" aria-label={t("messageState")}>
        {["", ...STATES[direction]].map((one) => (
          <button key={one} type="button" aria-pressed={one === state} onClick={() => setState(one)}>
            {t(one ? (WORDS[one] ?? "any") : "kindAll")}
          </button>
        ))}
      </div>
      {first.failure ? <Problem failure={first.failure} again={first.again} /> : null}
      {first.loading ? <Loading /> : null}
      {first.value ? (
        <List key={`${direction} ${state}`} first={first.value} direction={direction} state={state} />
      ) : null}
    </>
  );
}

function List({ first, direction, state }: { first: Messages; direction: Direction; state: string }) {
  const { t, api, language, page } = useFrame();
  const [older, setOlder] = useState<Message[]>([]);
  const [more, setMore] = useState<boolean | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const oldest = older.at(-1) ?? first.messages.at(-1);
  const shown = [...first.messages, ...older.filter((one) => one.row < (first.messages.at(-1)?.row ?? 0))];
  const next = async () => {
    if (busy || !oldest) return;
    setBusy(true);
    try {
      const found = await api.own<Messages>(listPath(direction, state, oldest.row));
      setOlder([...older, ...found.messages]);
      setMore(found.more);
      setFailure(null);
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };
  if (!shown.length) return <p class="quiet">{t("messagesNone")}</p>;
  return (
    <>
      <div class="table">
        <table>
          <thead>
            <tr>
              <th>{t("time")}</th><th>{t("messageKind")}</th><th>{t("messageState")}</th>
              <th>{t(direction === "in" ? "messageFrom" : "messageTo")}</th><th>{t("controlId")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <tr key={one.row}>
                <td class="when">{timeText(one.time, language, page.zone)}</td>
                <td>
                  <a href={`#/messages/${direction}/${one.row}`}>{one.kind || t("messageUnread")}</a>
                  {one.state === "stored" && one.reasons.length
                    ? <small>{t("remarks", { count: countText(one.reasons.length, language) })}</small>
                    : one.reasons.map((reason) => <small key={reason}>{reason}</small>)}
                </td>
                <td><State state={one.state} /></td>
                <td>{one.sender?.replace("|", " · ") || one.peer}<small>{one.sender ? one.peer : ""}</small></td>
                <td>{one.controlId}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {failure ? <Problem failure={failure} again={next} /> : null}
      {(more ?? first.more) ? <More onClick={() => void next()} busy={busy} /> : null}
    </>
  );
}

function Counts({ counts }: { counts: Counted[] }) {
  const { t, language } = useFrame();
  const number = (one: Counted, state: string) => countText(Number(one[state] ?? 0), language);
  return (
    <ul class="plain jobs">
      {counts.map((one) => (
        <li key={one.peer}>
          <b>{one.peer}</b>{" "}
          {t("messageSum", {
            received: number(one, "received"),
            stored: number(one, "stored"),
            repeat: number(one, "repeat"),
            quarantined: number(one, "quarantined"),
            waiting: number(one, "waiting"),
          })}
          {one.reconciles ? null : <p class="bad">{t("messageSumWrong")}</p>}
        </li>
      ))}
    </ul>
  );
}

function Destinations() {
  const { t, api, language, page } = useFrame();
  const read = useLoaded(
    (signal) => api.own<{ destinations: Destination[] }>("console/destinations", signal), [language], 5,
  );
  const [now, setNow] = useState<Destination[] | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  useEffect(() => setNow(null), [read.value]);
  const steer = async (one: Destination) => {
    const word = one.state === "paused" ? "resume" : "pause";
    try {
      const path = `console/destinations/${encodeURIComponent(one.name)}/${word}`;
      setNow((await api.post<{ destinations: Destination[] }>(path, {})).destinations);
      setFailure(null);
    } catch (error) {
      setFailure(error);
    }
  };
  const shown = now ?? read.value?.destinations ?? [];
  if (read.failure) return <Problem failure={read.failure} again={read.again} />;
  if (!shown.length) return null;
  return (
    <Section title={t("destinations")}>
      <ul class="plain jobs">
        {shown.map((one) => (
          <li key={one.name} class="steered">
            <div>
              <b>{one.name}</b> <State state={one.state} />
              <small>
                {one.host}:{one.port} · {t("destinationCounts", {
                  queued: countText(one.queued, language),
                  accepted: countText(one.accepted, language),
                  refused: countText(one.refused, language),
                })}
              </small>
              {one.reasons.map((reason) => <small key={reason}>{reason}</small>)}
              {one.next && one.state === "unreachable" ? (
                <small>{t("destinationNext", { time: timeText(one.next, language, page.zone) })}</small>
              ) : null}
            </div>
            <button type="button" onClick={() => void steer(one)}>
              {t(one.state === "paused" ? "destinationResume" : "destinationPause")}
            </button>
          </li>
        ))}
      </ul>
      {failure ? <Problem failure={failure} /> : null}
    </Section>
  );
}

export function MessagePage({ direction, row }: { direction: Direction; row: string }) {
  const { t, api, language, page } = useFrame();
  useTitle(t("message"));
  const path = `console/messages/${direction}/${row}`;
  const loaded = useLoaded((signal) => api.own<Whole>(path, signal), [path, language]);
  const [told, setTold] = useState<Word | null>(null);
  const [tried, setTried] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const one = loaded.value;
  useEffect(() => {
    if (told === null || told === "notAgain") return;
    const timer = setTimeout(() => { setTold(null); setTried(true); loaded.again(); }, LOOK_AGAIN_AFTER);
    return () => clearTimeout(timer);
  }, [told]);
  const verb = direction === "in" ? "replay" : "resend";
  const again = async () => {
    try {
      const { rows } = await api.post<{ rows: number[] }>(`${path}/${verb}`, {});
      setTold(rows.length ? (direction === "in" ? "replayed" : "resent") : "notAgain");
      setFailure(null);
    } catch (error) {
      setFailure(error);
    }
  };
  const can = one && (direction === "in" ? one.state === "quarantined" : one.state !== "queued");
  return (
    <>
      <p class="back"><a href="#/messages">{t("back")}</a></p>
      <Heading>{one ? `${one.kind || t("messageUnread")} · ${one.controlId}` : t("message")}</Heading>
      {loaded.failure ? <Problem failure={loaded.failure} again={loaded.again} /> : null}
      {loaded.loading ? <Loading /> : null}
      {one ? (
        <>
          <section class="card" aria-label={t("message")}>
            <Facts
              facts={[
                [t("messageState"), <State state={one.state} />],
                [t("time"), timeText(one.time, language, page.zone)],
                [t(direction === "in" ? "messageFrom" : "messageTo"), one.sender?.replace("|", " · ") || one.peer],
                [t("messageSite"), one.sender ? one.peer : ""],
                [t("repeats"), one.repeats ? countText(one.repeats, language) : ""],
                [t("attempts"), one.attempts ? countText(one.attempts, language) : ""],
                [t("about"), one.focus ?? ""],
              ]}
            />
            {one.reasons.map((reason) => <p key={reason} class="note">{reason}</p>)}
            {can ? (
              <p class="row">
                <button type="button" class="main" onClick={() => void again()}>
                  {t(direction === "in" ? "replay" : "resend")}
                </button>
              </p>
            ) : null}
            {told ? <p role="status">{t(told)}</p> : null}
            {tried && !told && BAD.has(one.state) ? <p role="status">{t("heldAgain")}</p> : null}
            {failure ? <Problem failure={failure} /> : null}
          </section>
          <Section title={t("message")}><pre>{one.text}</pre></Section>
          {one.answer ? <Section title={t("messageAnswer")}><pre>{one.answer}</pre></Section> : null}
        </>
      ) : null}
    </>
  );
}
