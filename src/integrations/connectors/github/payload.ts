import { cutText, textIn, type UntrustedRecord } from "@infragpt/connector-kit";

/** GitHub writes times as RFC 3339, and as seconds in some payloads. */
export function timeIn(parent: UntrustedRecord, key: string): Date | undefined {
  const value = parent[key];
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const time = new Date(typeof value === "number" ? value * 1_000 : value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** An id or a number, as text. */
export function numberTextIn(parent: UntrustedRecord, key: string): string | undefined {
  const value = parent[key];
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : undefined;
}

/** One line of what people wrote, without what would turn the text around it the other way. */
export function lineIn(parent: UntrustedRecord, key: string, charactersMax: number): string {
  const text = textIn(parent, key) ?? "";
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").replaceAll(/\p{Bidi_Control}/gu, "");
  return cutText(line.trim().toWellFormed(), charactersMax);
}

/** Several lines of what people wrote. No database takes a NUL or half of a surrogate pair. */
export function linesIn(parent: UntrustedRecord, key: string, charactersMax: number): string {
  const text = cutText(textIn(parent, key) ?? "", charactersMax);
  return text.replaceAll(/(?![\n\t])\p{Cc}/gu, "").toWellFormed();
}

/** "refs/heads/main" is "main". */
export function branchOf(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, "");
}

/** An address that a person may follow, or undefined. */
export function webUrlIn(parent: UntrustedRecord, key: string): string | undefined {
  const url = URL.parse(textIn(parent, key) ?? "");
  const isWeb = url !== null && ["http:", "https:"].includes(url.protocol);
  return isWeb && url.href.length <= 2_000 ? url.href : undefined;
}
