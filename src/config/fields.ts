import { isIP } from "node:net";
import { z } from "zod";
import { Secret } from "@infragpt/connector-kit";

const SECRETS = new WeakSet<z.ZodType>();

/** Text of one line, bounded: nothing in a configuration needs more. */
export function text(): z.ZodString {
  return z.string().min(1).max(2000);
}

/** A secret is never printed, and may also be given as `<key>_file`. */
export function secret(): z.ZodType<Secret, string> {
  return asSecret(z.string().max(65_536).transform(intoSecret));
}

/** One secret, or several while one replaces the other. */
export function secretList(): z.ZodType<readonly Secret[], string | string[]> {
  return asSecret(
    z
      .union([z.string().max(65_536), z.array(z.string().min(1).max(65_536)).max(10)], {
        error: "must be a text or a list of texts",
      })
      .transform((value) => (typeof value === "string" ? [value] : value).map(intoSecret)),
  );
}

export function isSecretField(field: z.ZodType): boolean {
  return SECRETS.has(field);
}

/** A whole number, also where it arrives as text from the environment. */
export function integer(min: number, max: number): z.ZodType<number> {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.preprocess(
    numberFromText,
    z.int(message).min(min, message).max(max, message),
  ) as z.ZodType<number>;
}

/** A TCP port; 0 takes any free one. */
export function port(): z.ZodType<number> {
  return integer(0, 65_535);
}

export function amount(): z.ZodType<number> {
  return z.preprocess(
    numberFromText,
    z.number("must be a number").positive("must be more than 0"),
  ) as z.ZodType<number>;
}

export function bool(): z.ZodType<boolean> {
  return z.preprocess(
    (value) => (value === "true" ? true : value === "false" ? false : value),
    z.boolean("must be true or false"),
  ) as z.ZodType<boolean>;
}

/** An id that may look like a number, such as a GitHub App's. */
export function id(): z.ZodType<string> {
  return z.preprocess(
    (value) => (typeof value === "number" ? String(value) : value),
    z.string("must be a text").min(1).max(200),
  ) as z.ZodType<string>;
}

/** An http or https address without user name and password. */
export function url(): z.ZodType<string> {
  return z
    .string("must be an http or https address")
    .max(2000)
    .refine(isHttpUrl, "must be an http or https address without user name or password");
}

/** Scheme, host and port alone: what browsers send as Origin. */
export function origin(): z.ZodType<string> {
  return z
    .string("must be an origin such as https://console.example.com")
    .max(2000)
    .refine(
      (value) => isHttpUrl(value) && URL.parse(value)?.origin === value,
      "must be an origin such as https://console.example.com, in lower case and without a path",
    );
}

/** An address, or a network such as 10.0.0.0/8. */
export function network(): z.ZodType<string> {
  return z
    .string("must be an address or a network such as 10.0.0.0/8")
    .max(100)
    .refine(isNetwork, "must be an address or a network such as 10.0.0.0/8");
}

function isNetwork(value: string): boolean {
  const [address = "", bits, ...rest] = value.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function isHttpUrl(value: string): boolean {
  const parsed = URL.parse(value);
  if (parsed === null) return false;
  return /^https?:$/.test(parsed.protocol) && parsed.username === "" && parsed.password === "";
}

function numberFromText(value: unknown): unknown {
  return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

// A PEM in an environment variable often has "\n" written out.
function intoSecret(value: string): Secret {
  return new Secret(value.startsWith("-----BEGIN ") ? value.replaceAll("\\n", "\n") : value);
}

function asSecret<Field extends z.ZodType>(field: Field): Field {
  SECRETS.add(field);
  return field;
}
