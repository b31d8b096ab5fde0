/** Reads JSON whose shape nobody guarantees: every read says what it expects and how much it takes. */
export type UntrustedRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is UntrustedRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function recordIn(parent: UntrustedRecord, key: string): UntrustedRecord {
  const value = parent[key];
  return isRecord(value) ? value : {};
}

export function arrayIn(parent: UntrustedRecord, key: string): readonly unknown[] {
  const value = parent[key];
  return Array.isArray(value) ? value : [];
}

/** A non-empty string, or undefined when it is none. */
export function textIn(parent: UntrustedRecord, key: string): string | undefined {
  const value = parent[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

const ID_CHARACTERS_MAX = 255;

/** A vendor's id or ts: short and without spaces or control characters. */
export function idIn(parent: UntrustedRecord, key: string): string | undefined {
  const value = textIn(parent, key);
  if (value === undefined || value.length > ID_CHARACTERS_MAX) return undefined;
  return /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}

/** Cuts to so many UTF-16 units, never inside a surrogate pair. */
export function cutText(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const last = text.charCodeAt(charactersMax - 1);
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isHighSurrogate ? charactersMax - 1 : charactersMax);
}

/** Undefined for anything that is not a JSON object. */
export function parseRecord(json: string): UntrustedRecord | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
