import type { JsonObject } from "./model.ts";

/** An answer that is not what was asked for. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: number;
  readonly details: JsonObject;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    details: JsonObject = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.details = details;
    this.headers = headers;
  }
}

export function notFound(): Refusal {
  return new Refusal(404, "Not Found");
}

/** The App may see the thing but not do this with it. */
export function notAccessible(): Refusal {
  return new Refusal(403, "Resource not accessible by integration");
}

export function badCredentials(): Refusal {
  return new Refusal(401, "Bad credentials");
}

export function invalid(...errors: readonly JsonObject[]): Refusal {
  return new Refusal(422, "Validation Failed", { errors });
}
