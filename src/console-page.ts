import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { RawRoute } from "#platform";

const PAGE = new URL("../console/index.html", import.meta.url);

/** What a person sees who opens the service in a browser: that it runs, and where to go on. */
export async function consoleRoute(): Promise<RawRoute> {
  const body = await readFile(PAGE, "utf8");
  const headers = { "content-security-policy": policyFor(body), "cache-control": "no-cache" };
  return {
    method: "GET",
    path: "/",
    bodyBytesMax: 0,
    handle: () =>
      Promise.resolve({ status: 200, contentType: "text/html; charset=utf-8", headers, body }),
  };
}

/** Nothing may load or run but the page's own style, named by its hash. */
function policyFor(html: string): string {
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  return `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
