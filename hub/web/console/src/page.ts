// What the server wrote into the page: where the hub is and how it lets people in.

export interface Page {
  /** `on` or `off`. */
  auth: string;
  /** The FHIR base as the hub knows itself. */
  base: string;
  version: string;
  /** The hub's time zone. */
  zone: string;
}

export function readPage(): Page {
  const data = document.documentElement.dataset;
  return {
    auth: data.auth ?? "on",
    base: data.base ?? "",
    version: data.version ?? "",
    zone: data.zone || "UTC",
  };
}
