import type { RawAnswer } from "#platform";

const SECURITY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;color:#1d1d20;background:#fff}" +
  "h1{font-size:1.35rem}a{color:#1d4ed8}@media (prefers-color-scheme:dark){body{color:#eee;background:#18181b}a{color:#93c5fd}}";

/** What a person sees whom a vendor sent back without success. */
export function page(status: number, title: string, sentence: string, backUrl: string): RawAnswer {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style>`;
  const main = `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(sentence)}</p><p><a href="${escapeHtml(backUrl)}">Back to InfraGPT</a></p>`;
  return {
    status,
    contentType: "text/html; charset=utf-8",
    headers: {
      "content-security-policy": SECURITY,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    },
    body: `<!doctype html><html lang="en"><head>${head}</head><body><main>${main}</main></body></html>`,
  };
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
