// Requests to the hub, as who is logged in; errors in the hub's own words.
import { parse } from "./json";
import type { Language } from "./words";

/** The hub said no, or nothing (status 0). */
export class Refused extends Error {
  constructor(readonly status: number, readonly words: string[]) {
    super(words[0] ?? String(status));
  }
}

export interface Session {
  /** A token that is good now; null while authentication is off. */
  token(): Promise<string | null>;
  /** The token was refused: get another, or begin a login (then the promise never ends). */
  renew(refused: string): Promise<void>;
}

export class Api {
  constructor(
    private readonly session: Session,
    /** Where this page is, with a slash at the end. */
    private readonly site: string,
    public language: Language,
  ) {}

  /** Read from the FHIR base; a page's absolute link is read from here, whatever host it names. */
  fhir<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.read<T>(`fhir/${insideBase(path)}`, "application/fhir+json", signal);
  }

  /** Read what the console itself offers. */
  own<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.read<T>(path, "application/json", signal);
  }

  async read<T>(path: string, accept: string, signal?: AbortSignal): Promise<T> {
    let token = await this.session.token();
    let response = await this.send(path, accept, token, signal);
    if (response.status === 401 && token !== null) {
      await this.session.renew(token);
      token = await this.session.token();
      response = await this.send(path, accept, token, signal);
    }
    const text = await response.text();
    if (!response.ok) throw new Refused(response.status, wordsOf(text));
    return parse(text) as T;
  }

  /** Send JSON to the hub's own services. */
  async post<T>(path: string, content: object): Promise<T> {
    const token = await this.session.token();
    const response = await this.send(path, "application/json", token, undefined, content);
    const text = await response.text();
    if (!response.ok) throw new Refused(response.status, wordsOf(text));
    return (text ? parse(text) : {}) as T;
  }

  private async send(
    path: string, accept: string, token: string | null, signal?: AbortSignal, content?: object,
  ): Promise<Response> {
    const headers: Record<string, string> = { accept, "accept-language": this.language };
    if (token !== null) headers.authorization = `Bearer ${token}`;
    if (content) headers["content-type"] = "application/json";
    try {
      return await fetch(this.site + path, {
        method: content ? "POST" : "GET",
        headers,
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        body: content ? JSON.stringify(content) : null,
        signal: signal ?? null,
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new Refused(0, []);
    }
  }
}

/** The part of an address behind the FHIR base. */
export function insideBase(path: string): string {
  if (!/^https?:/.test(path)) return path;
  const url = new URL(path);
  return url.pathname.replace(/^.*?\/fhir\/?/, "") + url.search;
}

/** What an error's body says: an OperationOutcome's issues, an OAuth error, or a problem. */
export function wordsOf(text: string): string[] {
  let body: any;
  try {
    body = JSON.parse(text);
  } catch {
    return [];
  }
  if (body?.resourceType === "OperationOutcome" && Array.isArray(body.issue))
    return body.issue
      .map((issue: any) => issue?.details?.text ?? issue?.diagnostics ?? "")
      .filter(Boolean);
  const said = body?.error_description ?? body?.detail ?? body?.error;
  return typeof said === "string" && said ? [said] : [];
}
