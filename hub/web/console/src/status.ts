// What /console/status tells; hub/web/status.py makes it.

export interface Status {
  time: string;
  version: string;
  auth: string;
  zone: string;
  checks: Record<"store" | "writer" | "disk", "ok" | "slow" | "littleSpace" | "unavailable">;
  disk_free: number;
  store: {
    backend: string;
    bytes: number;
    versions: number;
    queued: number;
    resources: Record<string, number>;
  } | null;
  /** How many processes there should be. */
  wanted: number;
  processes: { id: number; memory: number; requests: number; unexpected: number }[];
  jobs: {
    parameters: { code: string; id: string; status: string; indexed: number; counted: number }[];
    renewing: boolean;
    loads: {
      running: boolean;
      changed: string;
      created: number;
      updated: number;
      unchanged: number;
      rejected: number;
    }[];
  } | null;
}
