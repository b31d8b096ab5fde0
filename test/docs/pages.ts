import { generateKeyPairSync } from "node:crypto";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";

export const ROOT = join(import.meta.dirname, "../..");
export const PAGES: readonly string[] = globSync(["*.md", "docs/*.md", "kit/*.md"], { cwd: ROOT });

export function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The fenced blocks of one language. */
export function blocks(page: string, language: string): readonly string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm");
  return [...read(page).matchAll(pattern)].map(([, text = ""]) => text);
}

export interface Said {
  readonly page: string;
  readonly text: string;
}

/** What stands in backticks in any page, and every line of the shell blocks. */
export function everythingSaid(): readonly Said[] {
  return PAGES.flatMap((page) => {
    const prose = read(page).replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
    const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);
    const shell = blocks(page, "sh").flatMap((block) => block.trim().split("\n"));
    return [...inline, ...shell].map((text) => ({ page, text }));
  });
}

/** Whether a link of a page leads to a file that exists and, within Markdown, to a heading of it. */
export function isLinkGood(page: string, target: string): boolean {
  const [path = "", heading] = target.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, file))) return false;
  return heading === undefined || headingsOf(file).includes(heading);
}

/** As GitHub names them. */
function headingsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** "package.Service" and "package.Service/Method" for everything a proto file serves. */
export function methodsOf(proto: string): readonly string[] {
  const [, packageName = ""] = /^package ([\w.]+);/m.exec(proto) ?? [];
  return [...proto.matchAll(/^service (\w+) \{([\s\S]*?)^\}/gm)].flatMap(([, name, body = ""]) => {
    const service = `${packageName}.${name}`;
    const methods = [...body.matchAll(/rpc (\w+)/g)].map(([, method]) => `${service}/${method}`);
    return [service, ...methods];
  });
}

/** Whether the configuration has the key that these names lead to. */
export function hasKey(schema: z.ZodType, names: readonly string[]): boolean {
  const [name, ...rest] = names;
  if (name === undefined) return true;
  const object = unwrap(schema);
  if (!(object instanceof z.ZodObject)) return false;
  const next: unknown = object.shape[name];
  return next instanceof z.ZodType && hasKey(next, rest);
}

function unwrap(schema: z.ZodType): z.ZodType {
  let inner: unknown = schema;
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  ) {
    inner = inner.unwrap();
  }
  return inner instanceof z.ZodType ? inner : schema;
}

/** A configuration file of its own, beside the secret files it names. */
export function aConfigFile(text: string): Disposable & { readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), "infragpt-docs-"));
  const local = text.replaceAll(/_file: \/run\/secrets\/(\w+)/g, (_, name: string) => {
    writeFileSync(join(directory, name), exampleOf(name), { mode: 0o600 });
    return `_file: ${name}`;
  });
  const path = join(directory, "config.yaml");
  writeFileSync(path, local);
  return {
    path,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export function aPrivateKey(): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  return privateKey.export({ type: "pkcs1", format: "pem" });
}

/** A value that a variable or file of this name could have. */
export function exampleOf(name: string): string {
  const examples: readonly (readonly [RegExp, string])[] = [
    [/app_token/i, "xapp-1-example"],
    [/app_id/i, "1"],
    [/private_key/i, aPrivateKey()],
    [/bot_token/i, "xoxb-example"],
    [/database_url/i, "postgres://infragpt:example@db.example.com/infragpt"],
  ];
  return examples.find(([pattern]) => pattern.test(name))?.[1] ?? "example";
}
