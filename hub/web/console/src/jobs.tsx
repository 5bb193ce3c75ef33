import { timeText } from "./dates";
import { Heading, Loading, Problem, Section, useFrame, useLoaded, useTitle } from "./frame";
import type { Status } from "./status";
import { countText } from "./values";

export function Jobs() {
  const { t, api, language } = useFrame();
  useTitle(t("jobs"));
  const status = useLoaded((signal) => api.own<Status>("console/status", signal), [language], 3);
  const now = status.value;
  return (
    <>
      <Heading>{t("jobs")}</Heading>
      {status.failure ? <Problem failure={status.failure} again={status.again} /> : null}
      {!now && !status.failure ? <Loading /> : null}
      {now && !now.jobs ? <p class="problem" role="alert">{t("checkStore")}: {t("unavailable")}</p> : null}
      {now?.jobs && now.store ? (
        <>
          <Section title={t("writes")}>
            <p>
              {now.store.queued
                ? t("writesWaiting", { count: countText(now.store.queued, language) })
                : t("writesNone")}
            </p>
          </Section>
          <Section title={t("renewal")}>
            <p class={now.jobs.renewing ? "note" : ""}>
              {t(now.jobs.renewing ? "renewalRuns" : "renewalNone")}
            </p>
          </Section>
          <Section title={t("indexing")}><Parameters jobs={now.jobs} /></Section>
          <Section title={t("loads")}><Loads jobs={now.jobs} /></Section>
        </>
      ) : null}
    </>
  );
}

type Shown = { jobs: NonNullable<Status["jobs"]> };

function Parameters({ jobs }: Shown) {
  const { t, language } = useFrame();
  if (!jobs.parameters.length) return <p class="quiet">{t("indexingNone")}</p>;
  return (
    <ul class="plain jobs">
      {jobs.parameters.map((one) => {
        const text = t("progress", {
          part: countText(one.indexed, language),
          whole: countText(one.counted, language),
        });
        const name = one.code || one.id;
        return (
          <li key={one.id}>
            <b>{name}</b> <span class="tag">{t(one.status === "completed" ? "done" : "runs")}</span>
            <progress max={Math.max(one.counted, 1)} value={one.counted ? one.indexed : 1} aria-label={name}>
              {text}
            </progress>
            <small>{text}</small>
          </li>
        );
      })}
    </ul>
  );
}

function Loads({ jobs }: Shown) {
  const { t, language, page } = useFrame();
  if (!jobs.loads.length) return <p class="quiet">{t("loadsNone")}</p>;
  return (
    <ul class="plain jobs">
      {jobs.loads.map((one) => (
        <li key={one.changed}>
          <b>{timeText(one.changed, language, page.zone)}</b>{" "}
          <span class="tag">{t(one.running ? "loadRuns" : "loadStopped")}</span>
          <small>
            {t("loadCounts", {
              created: countText(one.created, language),
              updated: countText(one.updated, language),
              unchanged: countText(one.unchanged, language),
              rejected: countText(one.rejected, language),
            })}
          </small>
        </li>
      ))}
    </ul>
  );
}
