import assert from "node:assert/strict";

/** An integration as the API answers it. */
export interface IntegrationJson {
  readonly id: string;
  readonly label: string;
  readonly status: string;
  readonly connector_type: string;
  readonly connector_organization_id: string;
  readonly connector_user_id: string | null;
  readonly credential_type: string | null;
  readonly bot_id: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly health: {
    readonly status: string;
    readonly detail: string | null;
    readonly missing_permissions: readonly string[];
    readonly last_success_at: string | null;
  };
  readonly health_status: string;
  readonly expires_at: string | null;
}

/** Any of the answers; a test reads the fields of the one it asked for. */
type AnswerJson = IntegrationJson & {
  readonly url: string;
  readonly installed_url: string;
  readonly state: string;
  readonly type: string;
  readonly fields: readonly { readonly name: string; readonly secret: boolean }[];
  readonly integrations: readonly IntegrationJson[];
  readonly valid: boolean;
  readonly errors: readonly string[];
};

/** A person with a browser and a token, who connects accounts. */
export interface Connector {
  /** A POST to the API; the answer's JSON and what it set as a cookie. */
  post(
    path: string,
    body: unknown,
  ): Promise<{ readonly status: number; readonly body: AnswerJson; readonly cookie: string }>;
  /** Begins to connect; fails the test unless that is possible. */
  authorize(
    connectorType: string,
    label?: string,
  ): Promise<{ readonly url: string; readonly state: string; readonly cookie: string }>;
  integrations(): Promise<readonly IntegrationJson[]>;
}

export function aConnector(
  service: { readonly addresses: { readonly http: string } },
  token: string | (() => string),
): Connector {
  async function post(path: string, body: unknown) {
    const bearer = typeof token === "string" ? token : token();
    const answer = await fetch(`${service.addresses.http}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const json: AnswerJson = JSON.parse(await answer.text());
    return { status: answer.status, body: json, cookie };
  }
  return {
    post,
    async authorize(connectorType, label) {
      const { status, body, cookie } = await post("/integrations/authorize/", {
        connector_type: connectorType,
        ...(label === undefined ? {} : { label }),
      });
      assert.equal(status, 200, JSON.stringify(body));
      return { url: body.url, state: body.state, cookie };
    },
    async integrations() {
      const { body } = await post("/integrations/list/", {});
      return body.integrations;
    },
  };
}

/** What a browser gets that follows the vendor's redirect. */
export async function follow(
  url: string,
  cookie = "",
): Promise<{ readonly status: number; readonly location: string; readonly text: string }> {
  const answer = await fetch(url, { redirect: "manual", headers: cookie === "" ? {} : { cookie } });
  return {
    status: answer.status,
    location: answer.headers.get("location") ?? "",
    text: await answer.text(),
  };
}
