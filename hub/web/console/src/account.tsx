import { Facts, Heading, Section, useFrame, useTitle } from "./frame";
import type { Word } from "./words";

const ROLES: Record<string, Word> = {
  admin: "roleAdmin", manager: "roleManager", doctor: "roleDoctor", nurse: "roleNurse",
  patient: "rolePatient", relative: "roleRelative", system: "roleSystem",
};

export function Account() {
  const { t, me, page, logOut } = useFrame();
  useTitle(t("account"));
  const known = /^Patient\/(.+)$/.exec(me.fhirUser);
  const roles = me.roles.map((role) => (ROLES[role] ? t(ROLES[role]) : role)).join(", ");
  return (
    <>
      <Heading>{t("account")}</Heading>
      <Section title={t("whoAmI")}>
        <Facts
          facts={[
            [t("displayName"), me.display],
            [t("accountName"), me.name],
            [t("roles"), page.auth === "off" ? t("localRole") : roles],
            [t("inRecord"), known ? <a href={`#/patients/${known[1]}`}>{me.fhirUser}</a> : me.fhirUser],
            [t("client"), me.client],
            [t("authState"), t(page.auth === "off" ? "off" : "on")],
          ]}
        />
      </Section>
      {page.auth === "off" ? null : (
        <Section title={t("logOut")}>
          <p class="hint">{t("logoutText")}</p>
          <p><button type="button" class="main" onClick={logOut}>{t("logOut")}</button></p>
        </Section>
      )}
    </>
  );
}
