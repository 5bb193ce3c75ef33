// What every page stands in: who looks, in which language, and what pages share.
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { Refused, type Api } from "./api";
import type { Page } from "./page";
import type { Language, Word } from "./words";

export interface Me {
  name: string;
  /** Name for people; "" without. */
  display: string;
  roles: string[];
  fhirUser: string;
  client: string;
  /** Ids of the patients the person is confined to; null: not confined so. */
  patients: string[] | null;
  /** May see how the hub runs. */
  status: boolean;
  /** May search the audit. */
  audit: boolean;
  /** May look after messages of hospitals, and there are some. */
  messages: boolean;
  apps: App[];
}

export interface App {
  id: string;
  name: string;
  launchUrl: string;
}

/** The one patient that somebody is confined to; null for others. */
export function ownRecord(me: Me): string | null {
  return me.patients?.length === 1 ? (me.patients[0] ?? null) : null;
}

/** What the records are called that somebody may see. */
export function recordWord(me: Me): Word {
  if (me.patients === null) return "patients";
  return ownRecord(me) && me.fhirUser === `Patient/${ownRecord(me)}` ? "myRecord" : "myPeople";
}

export interface Frame {
  api: Api;
  page: Page;
  me: Me;
  language: Language;
  /** Words of the reader's language. */
  t(key: Word, values?: Record<string, unknown>): string;
  logOut(): void;
}

export const FrameContext = createContext<Frame | null>(null);

export function useFrame(): Frame {
  const frame = useContext(FrameContext);
  if (!frame) throw new Error("outside of the frame");
  return frame;
}

export function useTitle(title: string): void {
  const { t } = useFrame();
  useEffect(() => {
    document.title = title ? `${title} · ${t("product")}` : t("product");
  }, [title]);
}

/** Something read from the hub: absent while it loads, with what went wrong. */
export interface Loaded<T> {
  value: T | null;
  failure: unknown;
  loading: boolean;
  again(): void;
}

/** Read something when `deps` change; what was asked before is left. */
export function useLoaded<T>(
  read: (signal: AbortSignal) => Promise<T>, deps: unknown[], everySeconds = 0,
): Loaded<T> {
  const [state, set] = useState<{ value: T | null; failure: unknown; loading: boolean }>({
    value: null,
    failure: null,
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    const ask = async (keep: boolean) => {
      if (!keep) set({ value: null, failure: null, loading: true });
      try {
        const value = await read(stop.signal);
        if (!stop.signal.aborted) set({ value, failure: null, loading: false });
      } catch (failure) {
        if (!stop.signal.aborted) set({ value: null, failure, loading: false });
      }
    };
    void ask(false);
    const timer = everySeconds
      ? setInterval(() => document.hidden || void ask(true), everySeconds * 1000)
      : undefined;
    return () => {
      stop.abort();
      clearInterval(timer);
    };
  }, [...deps, turn]);
  return { ...state, again: () => setTurn(turn + 1) };
}

let moved = false;

/** Somebody went from one page to another: from now on headings take the focus. */
export function noteMove(): void {
  moved = true;
}

/** The page's heading; takes the focus when somebody went to its page, so that it is read out. */
export function Heading({ children }: { children: ComponentChildren }) {
  const place = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!moved) return;
    if (document.activeElement === document.body || document.activeElement?.closest("nav"))
      place.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={place} tabIndex={-1}>
      {children}
    </h1>
  );
}

export function Loading() {
  const { t } = useFrame();
  // Quick answers shall not flicker.
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 250);
    return () => clearTimeout(timer);
  }, []);
  return <p class="quiet" role="status" aria-busy="true">{late ? t("loading") : "\u00a0"}</p>;
}

/** What went wrong, in the hub's words where it has some. */
export function Problem({ failure, again }: { failure: unknown; again?: () => void }) {
  const { t } = useFrame();
  const status = failure instanceof Refused ? failure.status : -1;
  const said = failure instanceof Refused ? failure.words : [];
  const title: Record<number, Word> = { 0: "offline", 403: "refused", 404: "missing", 410: "missing" };
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{t(title[status] ?? "failed")}</strong>
      </p>
      {said.map((one) => (
        <p key={one}>{one}</p>
      ))}
      {status === 403 ? <p>{t("refusedHelp")}</p> : null}
      {again && (status < 400 || status >= 500 || status === 429) ? (
        <button type="button" onClick={again}>
          {t("retry")}
        </button>
      ) : null}
    </div>
  );
}

/** Names with values, as a description list; empty values are left out. */
export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== "" && value !== null && value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A part of a page under a heading of its own. */
export function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="card" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function More({ onClick, busy }: { onClick: () => void; busy: boolean }) {
  const { t } = useFrame();
  return (
    <p class="more">
      <button type="button" onClick={onClick} aria-disabled={busy}>
        {t(busy ? "loadingMore" : "more")}
      </button>
    </p>
  );
}
