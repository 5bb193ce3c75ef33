// The console: logs in, then shows the page that the address names.
import { render, type ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useState } from "preact/hooks";
import { Account } from "./account";
import { Api, Refused, type Session } from "./api";
import { Audit, forget as forgetAudit } from "./audit";
import { FrameContext, Heading, noteMove, ownRecord, recordWord, useFrame, useTitle, type Frame, type Me } from "./frame";
import { Jobs } from "./jobs";
import { Login, LoginFailed } from "./login";
import { MessagePage, MessagesPage } from "./messages";
import { Overview } from "./overview";
import { readPage, type Page } from "./page";
import { forget as forgetPatients, Patients } from "./patients";
import { PatientPage } from "./patient";
import { word, type Language, type Word } from "./words";

const NOBODY: Session = { token: () => Promise.resolve(null), renew: () => Promise.resolve() };
const BYE = "#/bye";

interface Place {
  href: string;
  name: Word;
  icon: string;
  seen(me: Me): boolean;
}

const PLACES: Place[] = [
  { href: "#/", name: "overview", icon: "M3 12 12 4l9 8M6 10v10h12V10", seen: () => true },
  { href: "#/patients", name: "patients", icon: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21c0-4 4-6 8-6s8 2 8 6", seen: () => true },
  { href: "#/jobs", name: "jobs", icon: "M12 3v4M12 17v4M3 12h4M17 12h4M6 6l3 3M15 15l3 3M6 18l3-3M15 9l3-3", seen: (me) => me.status },
  { href: "#/messages", name: "messages", icon: "M3 6h18v12H3ZM3 7l9 7 9-7", seen: (me) => me.messages },
  { href: "#/audit", name: "audit", icon: "M12 3 4 6v6c0 5 4 8 8 9 4-1 8-4 8-9V6ZM9 12l2 2 4-4", seen: (me) => me.audit && me.patients === null },
  { href: "#/account", name: "account", icon: "M4 5h16v14H4ZM8 15c0-2 8-2 8 0M12 11a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z", seen: () => true },
];

function route(hash: string): ComponentChildren {
  const [, name = "", id = "", part = ""] = hash.replace(/^#/, "").split("?")[0]?.split("/") ?? [];
  if (name === "patients" && /^[A-Za-z0-9.-]{1,64}$/.test(id))
    return <PatientPage key={id} id={id} part={part} />;
  if (name === "messages" && (id === "in" || id === "out") && /^\d{1,18}$/.test(part))
    return <MessagePage key={`${id}${part}`} direction={id} row={part} />;
  if (id) return <Nowhere />;
  const pages: Record<string, () => ComponentChildren> = {
    "": () => <Overview />,
    patients: () => <Patients />,
    jobs: () => <Jobs />,
    messages: () => <MessagesPage />,
    audit: () => <Audit />,
    account: () => <Account />,
  };
  return (pages[name] ?? (() => <Nowhere />))();
}

function Nowhere() {
  const { t } = useFrame();
  useTitle("");
  return <Heading>{t("nowhere")}</Heading>;
}

type State =
  | { kind: "starting" }
  | { kind: "bye" }
  | { kind: "failed"; failure: unknown }
  | { kind: "in"; me: Me };

function chosenLanguage(): Language {
  const kept = keptLanguage();
  return kept === "en" || kept === "zh" ? kept : document.documentElement.lang.startsWith("zh") ? "zh" : "en";
}

function keptLanguage(): string | null {
  try {
    return localStorage.getItem("console.language");
  } catch {
    return null; // Storage is forbidden in this browser.
  }
}

function App({ page, site }: { page: Page; site: string }) {
  const [language, setLanguage] = useState(chosenLanguage);
  const [state, setState] = useState<State>({ kind: "starting" });
  const [hash, setHash] = useState(location.hash || "#/");
  const login = useMemo(
    () => page.auth === "off" ? null : new Login(site, page.base, {
      fetch: fetch.bind(window),
      remember: sessionStorage,
      leave: (url) => location.assign(url),
      now: Date.now,
    }, language),
    [],
  );
  const api = useMemo(() => new Api(login ?? NOBODY, site, language), []);
  api.language = language;
  if (login) login.language = language;
  const t = (key: Word, values?: Record<string, unknown>) => word(language, key, values);

  useEffect(() => {
    const moved = () => {
      noteMove();
      setHash(location.hash || "#/");
      window.scrollTo(0, 0);
    };
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);

  useLayoutEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    try {
      localStorage.setItem("console.language", language);
    } catch {
      // Then the choice lasts as long as the page.
    }
  }, [language]);

  const enter = async () => {
    setState({ kind: "starting" });
    try {
      if (login) {
        const back = await login.finish(new URLSearchParams(location.search));
        if (back !== null) {
          history.replaceState(null, "", site + back);
          setHash(back || "#/");
        } else if (location.search) {
          history.replaceState(null, "", site + location.hash);
        }
        if (back === null && location.hash === BYE) return setState({ kind: "bye" });
      }
      setState({ kind: "in", me: await api.own<Me>("console/me") });
    } catch (failure) {
      history.replaceState(null, "", site + location.hash);
      setState({ kind: "failed", failure });
    }
  };
  useEffect(() => void enter(), []);

  const logOut = () => {
    forgetPatients();
    forgetAudit();
    // Nothing of a record stays in a page that the browser may bring back.
    setState({ kind: "bye" });
    const leave = () => {
      history.replaceState(null, "", site + BYE);
      location.assign(`${site}auth/logout?lang=${language}`);
    };
    void login?.end().then(leave, leave);
  };

  const me = state.kind === "in" ? state.me : null;
  const places = me ? PLACES.filter((place) => place.seen(me)) : [];
  const here = `#/${hash.replace(/^#\//, "").split("/")[0]}`;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>
        {t("skip")}
      </a>
      <header class="top">
        <a class="brand" href="#/">{t("product")}</a>
        {places.length ? (
          <nav class="places" aria-label={t("pages")}>
            {places.map((place) => {
              const own = place.name === "patients" && me ? ownRecord(me) : null;
              return (
                <a
                  key={place.href} href={own ? `#/patients/${own}` : place.href}
                  aria-current={place.href === here ? "page" : undefined}
                >
                  <svg viewBox="0 0 24 24" aria-hidden="true"><path d={place.icon} /></svg>
                  <span>{t(me && place.name === "patients" ? recordWord(me) : place.name)}</span>
                </a>
              );
            })}
          </nav>
        ) : null}
        <button
          type="button" class="language" lang={language === "zh" ? "en" : "zh-CN"}
          aria-label={t("languageLabel")}
          onClick={() => setLanguage(language === "zh" ? "en" : "zh")}
        >
          {t("language")}
        </button>
      </header>
      {page.auth === "off" ? <p class="warning" role="note">{t("authOff")}</p> : null}
      <main id="main" tabIndex={-1}>
        {me ? (
          <FrameContext.Provider value={{ api, page, me, language, t, logOut } satisfies Frame}>
            {route(hash)}
          </FrameContext.Provider>
        ) : (
          <Outside state={state} t={t} login={() => {
            if (login) void login.begin(location.hash === BYE ? "#/" : location.hash).catch((failure: unknown) => setState({ kind: "failed", failure }));
            else void enter();
          }} />
        )}
      </main>
    </>
  );
}

/** What is shown to whom is not in: on the way, logged out, or what went wrong. */
function Outside({ state, t, login }: { state: State; t: Frame["t"]; login: () => void }) {
  if (state.kind === "starting") return <p class="quiet" role="status">{t("loggingIn")}</p>;
  if (state.kind === "bye")
    return (
      <div class="card narrow">
        <h1>{t("loggedOut")}</h1>
        <p><button type="button" class="main" onClick={login}>{t("logIn")}</button></p>
      </div>
    );
  const failure = state.kind === "failed" ? state.failure : null;
  return (
    <div class="card narrow" role="alert">
      <h1>{t("loginFailed")}</h1>
      {reasons(failure, t).map((one) => <p key={one}>{one}</p>)}
      <p><button type="button" class="main" onClick={login}>{t("logIn")}</button></p>
    </div>
  );
}

function reasons(failure: unknown, t: Frame["t"]): string[] {
  if (failure instanceof Refused) return failure.words.length ? failure.words : [t(failure.status ? "refused" : "offline")];
  if (!(failure instanceof LoginFailed)) return [t("loginUnavailable")];
  const words = { stale: t("loginStale"), issuer: t("loginIssuer"), unavailable: t("loginUnavailable"), refused: "" };
  return [words[failure.reason], failure.words].filter(Boolean);
}

function start(): void {
  const place = document.getElementById("app");
  if (!place) return;
  const page = readPage();
  const own = page.base.replace(/fhir\/?$/, "");
  // Logins come back to the hub's own address, so they have to begin there.
  if (page.auth !== "off" && own && new URL(own).origin !== location.origin) {
    location.replace(own + location.hash);
    return;
  }
  const site = page.auth !== "off" && own ? own : new URL("./", location.href).href;
  render(<App page={page} site={site} />, place);
}

start();
