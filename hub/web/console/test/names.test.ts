import assert from "node:assert/strict";
import { test } from "node:test";
import { addressText, masked, nameText, personName, referenceText } from "../src/names";

test("a name's text is taken as its author put it", () => {
  assert.equal(nameText({ text: " 欧阳 小明 ", family: "欧阳" }), "欧阳 小明");
});

test("Han names are family before given, without a space", () => {
  assert.equal(nameText({ family: "欧阳", given: ["小", "明"] }), "欧阳小明");
  assert.equal(nameText({ given: ["小明"] }), "小明");
});

test("other names are given before family, with prefix and suffix", () => {
  assert.equal(
    nameText({ prefix: ["Dr."], given: ["Anna", "Maria"], family: "de Vries", suffix: ["MD"] }),
    "Dr. Anna Maria de Vries MD",
  );
});

test("the official name goes before the usual one, and a present one before a former one", () => {
  assert.equal(personName([{ use: "usual", text: "阿明" }, { use: "official", text: "王明" }]), "王明");
  assert.equal(personName([{ use: "old", text: "李红" }, { text: "王红" }]), "王红");
  assert.equal(
    personName([
      { use: "official", text: "old one", period: { end: "2020-01-01" } },
      { use: "usual", text: "new one" },
    ]),
    "new one",
  );
});

test("nobody's name is empty", () => {
  assert.equal(personName(undefined), "");
  assert.equal(personName([]), "");
  assert.equal(personName([{ use: "official" }]), "");
});

test("a reference is shown by its display, then its identifier, then itself", () => {
  assert.equal(referenceText({ reference: "Patient/1", display: "王明" }), "王明");
  assert.equal(referenceText({ identifier: { value: "7" } }), "7");
  assert.equal(referenceText({ reference: "Patient/1" }), "Patient/1");
  assert.equal(referenceText(undefined), "");
});

test("addresses go from large to small in Han, the other way round elsewhere", () => {
  assert.equal(
    addressText({ line: ["梧桐路1号"], city: "梧桐市", district: "东区", country: "中国" }),
    "梧桐市东区梧桐路1号",
  );
  assert.equal(addressText({ line: ["1 High Street"], city: "Ely" }), "1 High Street, Ely");
});

test("the middle of a long number is hidden", () => {
  assert.equal(masked({ value: "110101195003070012" }), "1101••••••••••0012");
  assert.equal(masked({ value: "00000196" }), "00000196");
  assert.equal(masked({}), "");
});
