import { Secret } from "@infragpt/connector-kit";

type Camel<Text extends string> = Text extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Text;

/** A section of the file with the names the code uses: `web_url` is `webUrl`. */
export type CamelKeys<Value> = Value extends Secret | string | number | boolean | undefined
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly CamelKeys<Item>[]
    : { readonly [Key in keyof Value as Camel<Key & string>]: CamelKeys<Value[Key]> };

export function camelKeys<Value>(value: Value): CamelKeys<Value>;
export function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => camelKeys(item));
  if (typeof value !== "object" || value === null || value instanceof Secret) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
      camelKeys(item),
    ]),
  );
}
