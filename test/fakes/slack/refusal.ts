/** An answer with `ok: false`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

/** Slack explains bad arguments in `response_metadata.messages`. */
export function invalid(code: string, ...messages: readonly string[]): Refusal {
  const explained = messages.map((message) => `[ERROR] ${message}`);
  return new Refusal(code, { errors: messages, response_metadata: { messages: explained } });
}
