import type { Abortable } from "./abort.ts";

const ANSWER_BYTES_MAX = 256 * 1024;

export interface JsonAnswer {
  readonly status: number;
  /** Undefined when the answer is no JSON. */
  readonly body: unknown;
}

interface JsonCall extends Abortable {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** Posts JSON to a key service. Follows no redirect, since data keys and tokens are in the call. */
export async function callJson(
  url: string,
  { headers, body, signal }: JsonCall,
): Promise<JsonAnswer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
    redirect: "error",
    signal,
  });
  const text = await readBounded(response);
  try {
    const parsed: unknown = JSON.parse(text);
    return { status: response.status, body: parsed };
  } catch {
    return { status: response.status, body: undefined };
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > ANSWER_BYTES_MAX) throw new Error("The key service's answer is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
