import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { challengeOf, Login, LoginFailed, random, type Browser } from "../src/login";

/** An authorization server of a few lines, over real HTTP, that notes what it is asked. */
let server: Server;
let site = "";
let asked: URLSearchParams[] = [];
let lifetime = 300;
let refuse = false;

async function body(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += piece;
  return text;
}

before(async () => {
  server = createServer(async (request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url === "/fhir/.well-known/smart-configuration") {
      response.end(
        JSON.stringify({
          issuer: site.slice(0, -1),
          authorization_endpoint: `${site}auth/authorize`,
          token_endpoint: `${site}auth/token`,
          revocation_endpoint: `${site}auth/revoke`,
        }),
      );
      return;
    }
    asked.push(new URLSearchParams(await body(request)));
    if (refuse) {
      response.statusCode = 400;
      response.end('{"error":"invalid_grant"}');
      return;
    }
    const answer = { access_token: `access-${asked.length}`, refresh_token: `refresh-${asked.length}`, expires_in: lifetime };
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  site = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  Object.assign(globalThis, { location: { hash: "#/here" } });
});

after(() => void server.close());

function start(): { login: Login; left: string[]; clock: { now: number } } {
  asked = [];
  lifetime = 300;
  refuse = false;
  const kept = new Map<string, string>();
  const remember = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
  const left: string[] = [];
  const clock = { now: 1_000_000 };
  const browser: Browser = { fetch, remember, leave: (url) => void left.push(url), now: () => clock.now };
  return { login: new Login(site, `${site}fhir`, browser, "zh"), left, clock };
}

async function begun(login: Login, left: string[]): Promise<URLSearchParams> {
  void login.begin("#/patients");
  while (!left.length) await new Promise((done) => setTimeout(done, 2));
  return new URL(left[0] as string).searchParams;
}

test("the challenge is that of RFC 7636, appendix B", async () => {
  assert.equal(
    await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
  assert.match(random(), /^[A-Za-z0-9_-]{43}$/);
  assert.notEqual(random(), random());
});

test("a login asks with PKCE, state and audience, and comes back to where it began", async () => {
  const { login, left } = start();
  const sent = await begun(login, left);
  assert.equal(sent.get("response_type"), "code");
  assert.equal(sent.get("code_challenge_method"), "S256");
  assert.equal(sent.get("redirect_uri"), site);
  assert.equal(sent.get("aud"), `${site}fhir`);
  assert.equal(sent.get("lang"), "zh");
  const answer = new URLSearchParams({ code: "c", state: sent.get("state") ?? "", iss: site.slice(0, -1) });
  assert.equal(await login.finish(answer), "#/patients");
  assert.equal(await challengeOf(asked[0]?.get("code_verifier") ?? ""), sent.get("code_challenge"));
  assert.equal(await login.token(), "access-1");
});

test("an answer to another login, or without one, is refused", async () => {
  const { login, left } = start();
  await begun(login, left);
  const foreign = new URLSearchParams({ code: "c", state: "another" });
  await assert.rejects(login.finish(foreign), (error: LoginFailed) => error.reason === "stale");
  assert.equal(asked.length, 0);
});

test("an answer of another server is refused (RFC 9207)", async () => {
  const { login, left } = start();
  const state = (await begun(login, left)).get("state") ?? "";
  const mixed = new URLSearchParams({ code: "c", state, iss: "https://evil.example" });
  await assert.rejects(login.finish(mixed), (error: LoginFailed) => error.reason === "issuer");
  assert.equal(asked.length, 0);
});

test("an answer counts once", async () => {
  const { login, left } = start();
  const state = (await begun(login, left)).get("state") ?? "";
  const answer = new URLSearchParams({ code: "c", state });
  await login.finish(answer);
  await assert.rejects(login.finish(answer), (error: LoginFailed) => error.reason === "stale");
});

test("an address without an answer is none", async () => {
  const { login } = start();
  assert.equal(await login.finish(new URLSearchParams("")), null);
});

test("a token that ends soon is renewed once, however many ask", async () => {
  const { login, left, clock } = start();
  const state = (await begun(login, left)).get("state") ?? "";
  await login.finish(new URLSearchParams({ code: "c", state }));
  clock.now += 280_000;
  const tokens = await Promise.all([login.token(), login.token(), login.token()]);
  assert.deepEqual(new Set(tokens), new Set(["access-2"]));
  assert.equal(asked.length, 2);
  assert.equal(asked[1]?.get("refresh_token"), "refresh-1");
});

test("a token that was refused is renewed, unless that has happened meanwhile", async () => {
  const { login, left } = start();
  const state = (await begun(login, left)).get("state") ?? "";
  await login.finish(new URLSearchParams({ code: "c", state }));
  await login.renew("access-1");
  await login.renew("access-1");
  assert.equal(await login.token(), "access-2");
});

test("when the refresh token is over, a login begins where one was", async () => {
  const { login, left, clock } = start();
  const state = (await begun(login, left)).get("state") ?? "";
  await login.finish(new URLSearchParams({ code: "c", state }));
  clock.now += 400_000;
  refuse = true;
  left.length = 0;
  void login.token();
  while (!left.length) await new Promise((done) => setTimeout(done, 2));
  assert.ok(left[0]?.startsWith(`${site}auth/authorize?`));
});

test("logging out revokes the refresh token", async () => {
  const { login, left } = start();
  const state = (await begun(login, left)).get("state") ?? "";
  await login.finish(new URLSearchParams({ code: "c", state }));
  await login.end();
  assert.equal(asked[1]?.get("token"), "refresh-1");
});
