import assert from "node:assert/strict";
import { test } from "node:test";
import { insideBase, wordsOf } from "../src/api";
import { auditQuery } from "../src/audit";
import { looks, told } from "../src/events";
import { patientQuery } from "../src/patients";

test("a page's link is read from here, whatever host it names", () => {
  assert.equal(insideBase("https://other.example/fhir/Patient?name=a&_cursor=b"), "Patient?name=a&_cursor=b");
  assert.equal(insideBase("http://127.0.0.1:8080/hub/fhir/Patient/1"), "Patient/1");
  assert.equal(insideBase("Patient/1"), "Patient/1");
});

test("an OperationOutcome's words are its issues' texts", () => {
  const outcome = {
    resourceType: "OperationOutcome",
    issue: [{ details: { text: "No." } }, { diagnostics: "Really." }, { code: "invalid" }],
  };
  assert.deepEqual(wordsOf(JSON.stringify(outcome)), ["No.", "Really."]);
  assert.deepEqual(wordsOf('{"error":"invalid_grant","error_description":"Used."}'), ["Used."]);
  assert.deepEqual(wordsOf('{"status":503,"detail":"Later."}'), ["Later."]);
  assert.deepEqual(wordsOf("<html>"), []);
  assert.deepEqual(wordsOf(""), []);
});

const query = (text: string) => new URLSearchParams(patientQuery(text).split("?")[1]);

test("names are searched word by word, numbers as numbers", () => {
  assert.deepEqual(query("明").getAll("name"), ["明"]);
  assert.deepEqual(query(" Anna  Vries ").getAll("name"), ["Anna", "Vries"]);
  assert.equal(query("11010119500307001X").get("identifier"), "11010119500307001X");
  assert.equal(query("00000196").get("identifier"), "00000196");
  assert.equal(query("13800138000").get("phone"), "13800138000");
  assert.equal(query("").get("_sort"), "-_lastUpdated");
});

test("what means something in a search value is escaped", () => {
  assert.deepEqual(query("a,b$c|d\\").getAll("name"), ["a\\,b\\$c\\|d\\\\"]);
});

test("an audit search asks for what was filled in only", () => {
  const nothing = { who: "", patient: "", since: "", till: "", outcome: "" };
  assert.equal(auditQuery(nothing, null), "");
  const all = auditQuery({ ...nothing, who: "li.wei", since: "2026-01-01", till: "2026-01-31", outcome: "4" }, ["1", "2"]);
  assert.equal(
    decodeURIComponent(all),
    "agent-name=li.wei&patient=Patient/1,Patient/2&date=ge2026-01-01&date=le2026-01-31&outcome=4",
  );
});

const ADDRESS = { address: "10.0.0.7", type: "2" };
const SERVER = { who: { display: "FHIR hub" }, requestor: false, network: { address: "http://hub", type: "5" } };

test("an AuditEvent tells who searched what by which app from where", () => {
  const said = told({
    resourceType: "AuditEvent",
    type: { code: "rest" },
    subtype: [{ code: "search-type" }, { code: "search" }],
    action: "E",
    recorded: "2026-06-30T08:00:00Z",
    outcome: "0",
    agent: [
      { who: { display: "li.wei" }, name: "li.wei", altId: "li.wei", requestor: true },
      { who: { display: "chart" }, name: "chart", altId: "chart", requestor: false, network: ADDRESS },
      SERVER,
    ],
    entity: [
      { what: { reference: "Patient/1/_history/2" } },
      { what: { reference: "Patient/1" } },
      { role: { code: "24" }, description: "Patient?name=a" },
      { what: { identifier: { value: "a/b" } }, type: { code: "XrequestId" } },
    ],
  });
  assert.equal(said.who, "li.wei");
  assert.equal(said.via, "chart");
  assert.equal(said.address, "10.0.0.7");
  assert.equal(said.action, "didSearch");
  assert.equal(said.query, "Patient?name=a");
  assert.equal(said.good, true);
  assert.deepEqual(said.about, ["Patient/1"]);
});

test("a refused reading is told as a reading that was refused", () => {
  const said = told({
    resourceType: "AuditEvent",
    type: { code: "110113" },
    subtype: [{ code: "vread" }, { code: "read" }],
    action: "R",
    outcome: "4",
    agent: [{ who: { display: "10.0.0.7" }, requestor: true, network: ADDRESS }, SERVER],
  });
  assert.equal(said.action, "actionR");
  assert.equal(said.detail, "vread");
  assert.equal(said.outcome, "minor");
  assert.equal(said.who, "10.0.0.7");
  assert.equal(said.via, "");
});

test("a change of an account is told with the account's name", () => {
  const said = told({
    resourceType: "AuditEvent",
    type: { code: "110113" },
    subtype: [{ code: "110137" }, { system: "urn:fhir-hub:operation", code: "account-disable" }],
    action: "U",
    agent: [{ altId: "local", requestor: true }],
    entity: [{ what: { identifier: { value: "account/li.wei" } } }],
  });
  assert.equal(said.action, "actionU");
  assert.equal(said.detail, "account-disable");
  assert.deepEqual(said.about, ["account/li.wei"]);
});

test("a refused login is told as one", () => {
  const said = told({
    resourceType: "AuditEvent",
    type: { code: "110114" },
    subtype: [{ code: "110122" }, { code: "login" }],
    action: "E",
    outcome: "4",
    agent: [{ altId: "nobody", requestor: true }],
  });
  assert.equal(said.action, "didLogin");
  assert.equal(said.good, false);
});

test("what somebody does with a record at one time is one look", () => {
  const event = (time: string, who: string, query: string, about: string[] = []) => ({
    ...told({ resourceType: "AuditEvent", action: "R", recorded: time, agent: [{ name: who, requestor: true }] }),
    query,
    about,
  });
  const found = looks([
    event("2026-06-30T08:01:30Z", "li", "Encounter?patient=1"),
    event("2026-06-30T08:01:00Z", "li", "Observation?patient=1"),
    event("2026-06-30T08:00:59Z", "li", "", ["Patient/1"]),
    event("2026-06-30T08:00:58Z", "wang", "", ["Patient/1", "Observation/2"]),
    event("2026-06-30T07:00:00Z", "wang", "", ["Patient/1"]),
  ]);
  assert.deepEqual(
    found.map((one) => [one.who, one.types]),
    [["li", ["Encounter", "Observation", "Patient"]], ["wang", ["Observation"]], ["wang", ["Patient"]]],
  );
});
