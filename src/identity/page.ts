import type { RawAnswer } from "#platform";

const PAGE_SECURITY =
  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1rem;color:#1d1d20;background:#fff}" +
  "h1{font-size:1.35rem}button{font:inherit;padding:.5rem 1.1rem;border:1px solid #1d4ed8;border-radius:.4rem;background:#1d4ed8;color:#fff;cursor:pointer}" +
  "@media (prefers-color-scheme:dark){body{color:#eee;background:#18181b}}";

/** A small page of the service itself: a title and plain paragraphs, and one button where there is something to confirm. */
export function page(
  status: number,
  title: string,
  paragraphs: readonly string[],
  form?: {
    readonly action: string;
    readonly fields: Readonly<Record<string, string>>;
    readonly button: string;
  },
): RawAnswer {
  const fields = Object.entries(form?.fields ?? {}).map(
    ([name, value]) =>
      `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const button = form
    ? `<form method="post" action="${escapeHtml(form.action)}">${fields.join("")}<button>${escapeHtml(form.button)}</button></form>`
    : "";
  return {
    status,
    contentType: "text/html; charset=utf-8",
    headers: { "content-security-policy": PAGE_SECURITY, "cache-control": "no-store" },
    body:
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
      `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main><h1>${escapeHtml(title)}</h1>` +
      `${paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`).join("")}${button}</main></body></html>`,
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
