/** What JSON can say. A field that is undefined is left out. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * The one text of a value (RFC 8785): no spaces, keys in the order of their UTF-16 units, numbers
 * and strings as JSON.stringify writes them. Equal values give equal bytes, on any machine.
 */
export function canonicalJson(value: Json): string {
  if (isList(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter((field): field is [string, Json] => field[1] !== undefined)
    // UTF-16 units, as `<` compares them; a locale's order differs between machines.
    .toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
  return `{${fields.join(",")}}`;
}

const LIMITS = { depth: 5, fields: 50, items: 100, characters: 1_000, keyCharacters: 100 } as const;
const CUT = "…";

/** The value within bounds: what is too long, too many or too deep is cut, visibly. */
export function boundedJson(value: Json, depth = 0): Json {
  if (typeof value === "string") return boundedText(value, LIMITS.characters);
  // NaN and the infinities have no JSON.
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= LIMITS.depth) return CUT;
  if (isList(value)) {
    const items = value.slice(0, LIMITS.items).map((item) => boundedJson(item, depth + 1));
    return value.length > LIMITS.items ? [...items, CUT] : items;
  }
  const fields = Object.entries(value).slice(0, LIMITS.fields);
  return Object.fromEntries(
    fields.flatMap(([key, field]) =>
      field === undefined
        ? []
        : [[boundedText(key, LIMITS.keyCharacters), boundedJson(field, depth + 1)]],
    ),
  );
}

/** Text that PostgreSQL's jsonb can hold: no character zero, no half of a surrogate pair. */
export function boundedText(text: string, charactersMax: number): string {
  const cut = text.length > charactersMax ? text.slice(0, charactersMax) + CUT : text;
  return cut.toWellFormed().replaceAll("\u0000", "");
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
