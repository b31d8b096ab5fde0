import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { App } from "#app";
import { withTenant } from "#database";
import { startFakeClerk, type FakeClerk } from "../fakes/clerk/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { anOrganization } from "../support/directory.ts";
import { aHome, startService } from "../support/service.ts";

/** In every text of the first organization; the second must never see it. */
const MARK = "walled-7f3a";

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly isProtected: boolean;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: Schema;
    readonly required?: boolean;
  }[];
  readonly body: Schema | undefined;
}

describe("Every route of the OpenAPI document", () => {
  let clerk: FakeClerk;
  let database: TestDatabase;
  let service: App;
  let operations: readonly Operation[];
  /** What the first organization has, by the names that inputs call it. */
  let theirs: ReadonlyMap<string, string>;
  const opened = new AsyncDisposableStack();

  before(async () => {
    clerk = opened.use(await startFakeClerk());
    database = opened.use(await createTestDatabase());
    const home = opened.use(aHome());
    service = opened.use(
      await startService({
        databaseUrl: database.url,
        home: home.path,
        clerk: { ...clerk, webhookSecrets: [clerk.webhookSecret] },
      }),
    );
    await anOrganization(service, clerk, { id: "org_a", name: MARK }, { [MARK]: "org:admin" });
    await anOrganization(service, clerk, { id: "org_b", name: "Other" }, { b: "org:admin" });
    theirs = await whatTheFirstHas(database);
    const answer = await fetch(`${service.addresses.http}/openapi.json`);
    const document: Document = JSON.parse(await answer.text());
    operations = operationsOf(document);
  });
  after(() => opened.disposeAsync());

  async function call(
    operation: Operation,
    token: string | undefined,
    input: { readonly path: string; readonly body: unknown },
  ): Promise<{ readonly status: number; readonly text: string }> {
    const hasBody = operation.body !== undefined;
    const answer = await fetch(`${service.addresses.http}${input.path}`, {
      method: operation.method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(hasBody ? { "content-type": "application/json" } : {}),
      },
      ...(hasBody ? { body: JSON.stringify(input.body) } : {}),
    });
    return { status: answer.status, text: await answer.text() };
  }

  it("is public on purpose or protected", () => {
    const open = operations.filter(({ isProtected }) => !isProtected).map(({ path }) => path);

    assert.deepEqual(open.toSorted(), ["/healthz", "/readyz"]);
    assert.ok(operations.length > 15, "found too few routes: the story would pass on nothing");
  });

  it("answers 401 without a token, whatever is sent", async () => {
    for (const operation of operations.filter(({ isProtected }) => isProtected)) {
      const { status } = await call(operation, undefined, inputFor(operation, theirs));

      assert.equal(status, 401, `${operation.method} ${operation.path}`);
    }
  });

  it("answers 404 to the ids of another organization, and never with its data", async () => {
    const token = clerk.mint({ sub: "user_b", org_id: "org_b" });
    for (const operation of operations.filter(({ isProtected }) => isProtected)) {
      const name = `${operation.method} ${operation.path}`;
      const input = inputFor(operation, theirs);
      const { status, text } = await call(operation, token, input);

      assert.ok(status < 500, `${name}: ${status} ${text}`);
      if (input.hasForeignId) assert.equal(status, 404, `${name}: ${text}`);
      assert.ok(!text.includes(MARK), `${name} shows another organization's data`);
    }
  });
});

/** One thing of every kind that has an id, in the first organization. */
async function whatTheFirstHas({ db }: TestDatabase): Promise<ReadonlyMap<string, string>> {
  const organization = await db
    .selectFrom("organizations")
    .select("id")
    .where("clerk_org_id", "=", "org_a")
    .executeTakeFirstOrThrow();
  const user = await db
    .selectFrom("users")
    .select("id")
    .where("clerk_user_id", "=", `user_${MARK}`)
    .executeTakeFirstOrThrow();
  const organizationId = organization.id;
  const ids = {
    integration: randomUUID(),
    conversation: randomUUID(),
    token: randomUUID(),
    chatUser: randomUUID(),
  };
  await withTenant(db, organizationId, async (tx) => {
    const common = { organization_id: organizationId };
    await tx
      .insertInto("integrations")
      .values({
        ...common,
        id: ids.integration,
        connector_type: "slack",
        connector_organization_id: MARK,
        label: MARK,
        bot_id: null,
        user_id: null,
        connector_user_id: null,
        health_detail: null,
        health_checked_at: null,
        last_success_at: null,
        last_used_at: null,
        metadata: "{}",
      })
      .execute();
    await tx
      .insertInto("conversations")
      .values({ ...common, id: ids.conversation, surface: "grpc", external_key: MARK })
      .execute();
    await tx
      .insertInto("service_tokens")
      .values({ ...common, id: ids.token, name: MARK, token_hash: Buffer.from(MARK), scopes: [] })
      .execute();
    await tx
      .insertInto("chat_users")
      .values({
        ...common,
        id: ids.chatUser,
        integration_id: ids.integration,
        chat_user_id: MARK,
        chat_user_name: MARK,
        user_id: user.id,
        method: "link",
        created_at: new Date(),
      })
      .execute();
  });
  return new Map([
    ["organization_id", organizationId],
    ["user_id", user.id],
    ["clerk_org_id", "org_a"],
    ["clerk_user_id", `user_${MARK}`],
    ["integration_id", ids.integration],
    ["conversation_id", ids.conversation],
    ["/api/v1/tokens/{id}", ids.token],
    ["/api/v1/chat-users/{id}", ids.chatUser],
  ]);
}

/** Inputs that name no object of ours: what a vendor calls its own things. */
const NO_OBJECTS: ReadonlySet<string> = new Set(["installation_id", "actor_id"]);

function inputFor(
  operation: Operation,
  theirs: ReadonlyMap<string, string>,
): { readonly path: string; readonly body: unknown; readonly hasForeignId: boolean } {
  let hasForeignId = false;
  function idFor(name: string): string | undefined {
    if (NO_OBJECTS.has(name)) return undefined;
    const id = theirs.get(name) ?? theirs.get(operation.path);
    if (id === undefined) {
      if (name !== "id" && !name.endsWith("_id")) return undefined;
      assert.fail(
        `${operation.method} ${operation.path} takes "${name}": give the first organization one in this story`,
      );
    }
    hasForeignId = true;
    return id;
  }
  let path = operation.path;
  for (const parameter of operation.parameters) {
    if (parameter.in !== "path") continue;
    const id = idFor(parameter.name) ?? sample(parameter.schema);
    path = path.replace(`{${parameter.name}}`, encodeURIComponent(String(id)));
  }
  const query = new URLSearchParams();
  for (const parameter of operation.parameters) {
    if (parameter.in !== "query") continue;
    const id = parameter.name.endsWith("_id") ? idFor(parameter.name) : undefined;
    if (id !== undefined || parameter.required) {
      query.set(parameter.name, String(id ?? sample(parameter.schema)));
    }
  }
  if (query.size > 0) path += `?${query.toString()}`;
  const body = operation.body && sampleObject(operation.body);
  for (const name of Object.keys(operation.body?.properties ?? {})) {
    if (body && name.endsWith("_id")) {
      const id = idFor(name);
      if (id !== undefined) body[name] = id;
    }
  }
  return { path, body, hasForeignId };
}

function sampleObject({ required = [], properties = {} }: Schema): Record<string, unknown> {
  return Object.fromEntries(required.map((name) => [name, sample(properties[name] ?? {})]));
}

/** The smallest value that a schema lets through, as far as schemas say. */
function sample(schema: Schema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choice = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (choice) return sample(choice);
  const type = (typeof schema.type === "string" ? schema.type : schema.type?.[0]) ?? "string";
  switch (type) {
    case "object":
      return sampleObject(schema);
    case "array":
      return Array.from({ length: schema.minItems ?? 0 }, () => sample(schema.items ?? {}));
    case "boolean":
      return true;
    case "integer":
    case "number":
      return Math.max(schema.minimum ?? 1, 1);
    default:
      if (schema.format === "uuid") return randomUUID();
      if (schema.format === "date-time") return new Date(Date.now() + 3_600_000).toISOString();
      return "x".repeat(Math.max(schema.minLength ?? 1, 1));
  }
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

interface DocumentedOperation {
  readonly security?: readonly object[];
  readonly parameters?: Operation["parameters"];
  readonly requestBody?: {
    readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
  };
}

function operationsOf({ paths }: Document): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      isProtected: (operation.security ?? []).length > 0,
      parameters: operation.parameters ?? [],
      body: operation.requestBody?.content?.["application/json"]?.schema,
    })),
  );
}
