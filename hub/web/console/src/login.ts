// Logging in by OAuth 2.0 with PKCE, as the hub's own public client. Tokens live in memory only:
// a reload asks the hub again, which answers at once while its session lasts.
// Spec: SMART App Launch 2.2; RFC 6749, RFC 7636, RFC 9207.
import type { Session } from "./api";

export const CLIENT = "console";
export const SCOPE = "openid fhirUser online_access user/*.rs";
const PENDING = "console.login";
const EARLY = 30_000;

export class LoginFailed extends Error {
  constructor(readonly reason: "stale" | "issuer" | "unavailable" | "refused", readonly words = "") {
    super(reason);
  }
}

export interface Discovery {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint?: string;
}

interface Pending {
  state: string;
  verifier: string;
  /** The page to come back to. */
  hash: string;
}

interface Tokens {
  access: string;
  refresh: string;
  /** Milliseconds since the epoch. */
  ends: number;
}

interface TokenAnswer {
  access_token?: string;
  refresh_token?: string;
  expires_in?: number;
  error?: string;
  error_description?: string;
}

/** What sends a browser elsewhere and remembers over that; the tests have their own. */
export interface Browser {
  fetch: typeof fetch;
  remember: Storage;
  leave(url: string): void;
  now(): number;
}

export class Login implements Session {
  private tokens: Tokens | null = null;
  private renewing: Promise<void> | null = null;
  private found: Discovery | null = null;

  constructor(
    /** The hub without `/fhir`, with a slash at the end. */
    private readonly site: string,
    /** The FHIR base as the hub knows itself. */
    private readonly base: string,
    private readonly browser: Browser,
    /** `en` or `zh`: the login page speaks it too. */
    public language: string,
  ) {}

  /** The hub's endpoints. */
  async discover(): Promise<Discovery> {
    if (!this.found) {
      const response = await this.fetched(`${this.site}fhir/.well-known/smart-configuration`, {
        headers: { accept: "application/json" },
      });
      if (!response.ok) throw new LoginFailed("unavailable");
      this.found = (await response.json()) as Discovery;
    }
    return this.found;
  }

  /** Send the browser to the login page, to come back to a page of the console. */
  async begin(hash: string): Promise<never> {
    const endpoints = await this.discover();
    const pending: Pending = { state: random(), verifier: random(), hash };
    this.browser.remember.setItem(PENDING, JSON.stringify(pending));
    const url = new URL(endpoints.authorization_endpoint);
    const asked = {
      response_type: "code",
      client_id: CLIENT,
      redirect_uri: this.site,
      scope: SCOPE,
      state: pending.state,
      aud: this.base,
      lang: this.language,
      code_challenge: await challengeOf(pending.verifier),
      code_challenge_method: "S256",
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    this.browser.leave(url.href);
    return new Promise<never>(() => undefined);
  }

  /**
   * Take what the login page sent back.
   *
   * @param answer The query that this page was opened with.
   * @returns The page to go on with; null when this was no answer.
   */
  async finish(answer: URLSearchParams): Promise<string | null> {
    if (!answer.has("code") && !answer.has("error")) return null;
    const pending = this.taken();
    if (!pending || pending.state !== answer.get("state")) throw new LoginFailed("stale");
    const endpoints = await this.discover();
    if (answer.has("iss") && answer.get("iss") !== endpoints.issuer) throw new LoginFailed("issuer");
    const code = answer.get("code");
    if (code === null)
      throw new LoginFailed("refused", answer.get("error_description") ?? answer.get("error") ?? "");
    await this.ask({
      grant_type: "authorization_code",
      code,
      redirect_uri: this.site,
      code_verifier: pending.verifier,
    });
    return pending.hash;
  }

  async token(): Promise<string | null> {
    if (!this.tokens || this.tokens.ends - EARLY < this.browser.now()) await this.renewed();
    return this.tokens?.access ?? null;
  }

  async renew(refused: string): Promise<void> {
    if (this.tokens?.access === refused) await this.renewed();
  }

  /** End the grant; the session of the login page ends there. */
  async end(): Promise<void> {
    const token = this.tokens?.refresh || this.tokens?.access;
    this.tokens = null;
    const address = (await this.discover()).revocation_endpoint;
    if (!token || !address) return;
    await this.fetched(address, form({ token, client_id: CLIENT }));
  }

  /** One renewal at a time: a refresh token that is used twice counts as stolen. */
  private renewed(): Promise<void> {
    this.renewing ??= this.refreshed().finally(() => (this.renewing = null));
    return this.renewing;
  }

  private async refreshed(): Promise<void> {
    const refresh = this.tokens?.refresh;
    if (refresh) {
      try {
        return await this.ask({ grant_type: "refresh_token", refresh_token: refresh });
      } catch (error) {
        if (!(error instanceof LoginFailed) || error.reason !== "refused") throw error;
      }
    }
    this.tokens = null;
    await this.begin(location.hash);
  }

  private async ask(content: Record<string, string>): Promise<void> {
    const endpoints = await this.discover();
    const asked = form({ ...content, client_id: CLIENT });
    const response = await this.fetched(endpoints.token_endpoint, asked);
    const answer = (await response.json().catch(() => ({}))) as TokenAnswer;
    if (!response.ok || !answer.access_token) {
      if (response.status >= 500) throw new LoginFailed("unavailable");
      throw new LoginFailed("refused", answer.error_description ?? answer.error ?? "");
    }
    this.tokens = {
      access: answer.access_token,
      refresh: answer.refresh_token ?? this.tokens?.refresh ?? "",
      ends: this.browser.now() + (answer.expires_in ?? 300) * 1000,
    };
  }

  private taken(): Pending | null {
    const text = this.browser.remember.getItem(PENDING);
    this.browser.remember.removeItem(PENDING);
    return text ? (JSON.parse(text) as Pending) : null;
  }

  private async fetched(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.browser.fetch(url, { ...init, cache: "no-store", credentials: "omit" });
    } catch {
      throw new LoginFailed("unavailable");
    }
  }
}

function form(content: Record<string, string>): RequestInit {
  return {
    method: "POST",
    headers: { accept: "application/json" },
    body: new URLSearchParams(content),
  };
}

/** 256 random bits as text. */
export function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** The S256 challenge of a verifier (RFC 7636, 4.2). */
export async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
