import { timeText } from "./dates";
import { Facts, Heading, Loading, Problem, Section, ownRecord, recordWord, useFrame, useLoaded, useTitle } from "./frame";
import type { Status } from "./status";
import { countText, sizeText } from "./values";
import type { Word } from "./words";

const CHECKS: [keyof Status["checks"], Word][] = [
  ["store", "checkStore"],
  ["writer", "checkWriter"],
  ["disk", "checkDisk"],
];

export function Overview() {
  const { t, me, page } = useFrame();
  useTitle(t("overview"));
  return (
    <>
      <Heading>{me.status ? t("overview") : t("welcome", { name: me.display || me.name })}</Heading>
      {me.status ? <Running /> : <Welcome />}
      <div class="columns">
        {me.patients === null ? <Section title={t("links")}>
          <ul class="plain">
            <li><a href="fhir/metadata?_pretty=true">{t("linkBase")}</a></li>
            <li><a href="docs">{t("linkDocs")}</a></li>
            <li><a href="health/ready">{t("linkHealth")}</a></li>
            {page.auth === "off" ? <li><a href="metrics">{t("linkMetrics")}</a></li> : null}
          </ul>
        </Section> : null}
        {me.apps.length || me.status ? <Section title={t("apps")}>
          {me.apps.length ? (
            <ul class="plain">
              {me.apps.map((app) => (
                <li key={app.id}><a href={app.launchUrl} rel="noreferrer">{app.name}</a></li>
              ))}
            </ul>
          ) : <p class="quiet">{t("appsNone")}</p>}
        </Section> : null}
      </div>
    </>
  );
}

function Welcome() {
  const { t, me } = useFrame();
  const own = ownRecord(me);
  const whose = recordWord(me);
  const text = { myRecord: "ownText", myPeople: "fewText" }[whose as string] ?? "welcomeText";
  return (
    <Section title={t(whose)}>
      <p class="hint">{t(text as Word)}</p>
      <p class="row">
        <a class="button" href={own ? `#/patients/${own}` : "#/patients"}>
          {t(me.patients === null ? "findPatients" : "openRecord")}
        </a>
      </p>
    </Section>
  );
}

function Running() {
  const { t, api, language, page } = useFrame();
  const status = useLoaded((signal) => api.own<Status>("console/status", signal), [language], 10);
  if (status.failure) return <Problem failure={status.failure} again={status.again} />;
  if (!status.value) return <Loading />;
  const now = status.value;
  const well = CHECKS.every(([check]) => now.checks[check] === "ok");
  const sum = (of: (one: Status["processes"][number]) => number) =>
    now.processes.reduce((total, one) => total + of(one), 0);
  const held = Object.entries(now.store?.resources ?? {}).sort((one, two) => two[1] - one[1]);
  return (
    <>
      <div class="columns">
        <Section title={t("health")}>
          <p class={well ? "state good" : "state bad"}>{t(well ? "healthy" : "unhealthy")}</p>
          <Facts
            facts={CHECKS.map(([check, name]) => [
              t(name),
              <span class={now.checks[check] === "ok" ? "good" : "bad"}>
                {t(now.checks[check])}
              </span>,
            ])}
          />
          <p class="quiet">{t("updated", { time: timeText(now.time, language, page.zone) })}</p>
        </Section>
        <Section title={t("facts")}>
          <Facts
            facts={[
              [t("version"), now.version],
              [t("authState"), <span class={now.auth === "off" ? "bad" : ""}>{t(now.auth === "off" ? "off" : "on")}</span>],
              [t("storeKind"), now.store?.backend],
              [t("storeSize"), now.store ? sizeText(now.store.bytes) : ""],
              [t("diskFree"), sizeText(now.disk_free)],
              [t("queue"), now.store ? countText(now.store.queued, language) : ""],
              [t("workers"), (
                <span class={now.processes.length < now.wanted ? "bad" : ""}>
                  {t("workersValue", { running: now.processes.length, wanted: now.wanted })}
                </span>
              )],
              [t("memory"), sizeText(sum((one) => one.memory))],
              [t("requests"), countText(sum((one) => one.requests), language)],
              [t("unexpected"), countText(sum((one) => one.unexpected), language)],
              [t("zone"), now.zone],
            ]}
          />
        </Section>
      </div>
      <Section title={t("held")}>
        {held.length ? (
          <>
            <ul class="counts">
              {held.map(([type, count]) => (
                <li key={type}><span>{type}</span> <b>{countText(count, language)}</b></li>
              ))}
            </ul>
            <p class="quiet">{t("versions")}: {countText(now.store?.versions ?? 0, language)}</p>
          </>
        ) : <p class="quiet">{t("heldNone")}</p>}
      </Section>
    </>
  );
}
