// Names of people, as people write them.
import type { Address, HumanName, Identifier, Reference } from "./fhir";

const HAN = /\p{Script=Han}/u;
const ORDER = ["official", "usual", "", "temp", "nickname", "anonymous", "maiden", "old"];

export function isHan(text: string): boolean {
  return HAN.test(text);
}

/** One name: its text, or its parts in the order of its script. */
export function nameText(name: HumanName): string {
  if (name.text?.trim()) return name.text.trim();
  const given = name.given ?? [];
  if (isHan(name.family ?? "") || (!name.family && given.some(isHan)))
    return [name.family ?? "", ...given].join("");
  return [...(name.prefix ?? []), ...given, name.family ?? "", ...(name.suffix ?? [])]
    .filter(Boolean)
    .join(" ");
}

/** The name to call somebody by: official before usual, present before former; "" for none. */
export function personName(names: HumanName[] | undefined): string {
  const ranked = (names ?? [])
    .map((name) => ({ rank: ORDER.indexOf(name.use ?? ""), text: nameText(name), name }))
    .filter((one) => one.text);
  ranked.sort(
    (one, two) => Number(Boolean(one.name.period?.end)) - Number(Boolean(two.name.period?.end)) ||
      one.rank - two.rank,
  );
  return ranked[0]?.text ?? "";
}

/** What a reference says of its target: its display, else its identifier, else its address. */
export function referenceText(reference: Reference | undefined): string {
  return reference?.display || reference?.identifier?.value || reference?.reference || "";
}

export function addressText(address: Address): string {
  if (address.text?.trim()) return address.text.trim();
  const lines = address.line ?? [];
  const parts = [...lines, address.district, address.city, address.state, address.country];
  const written = parts.filter((part): part is string => Boolean(part));
  if (!written.some(isHan)) return written.join(", ");
  return [address.state, address.city, address.district, ...lines].filter(Boolean).join("");
}

/** Long personal numbers, all but the ends hidden: whoever looks over a shoulder learns little. */
export function masked(identifier: Identifier): string {
  const value = identifier.value ?? "";
  if (value.length < 12) return value;
  return `${value.slice(0, 4)}${"•".repeat(value.length - 8)}${value.slice(-4)}`;
}
