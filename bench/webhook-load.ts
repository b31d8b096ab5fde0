// The GitHub of a measurement, in a process of its own: it is connected through the API, then sends
// pushes of 11 KB that were signed before the clock ran.
import { createHmac, randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { Pool } from "undici";
import { startFakeGitHub } from "../test/fakes/github/index.ts";
import { aConnector, follow } from "../test/support/connecting.ts";
import { startRun, type LoadOrder, type LoadRun } from "./load-run.ts";

export interface WebhookOrder extends LoadOrder {
  /** Deliveries of one repository stay in order, so they are stored and understood one after the other. */
  readonly repositories: number;
}

/** What the service said when it was ready; a token where it can be connected. */
export interface WebhookTarget {
  readonly url: string;
  readonly token?: string;
}

type Message =
  | ({ readonly kind: "target" } & WebhookTarget)
  | ({ readonly kind: "order" } & WebhookOrder);

interface PushExample {
  readonly commits: readonly object[];
  readonly repository: object;
}

interface Parcel {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const EVENTS: readonly {
  readonly name: string;
  readonly examples: readonly PushExample[];
}[] = createRequire(import.meta.url)("@octokit/webhooks-examples/api.github.com/index.json");
const BODY_BYTES = 11 * 1024;
const CONNECTIONS_AT_A_PACE = 32;
const github = await startFakeGitHub();
const template = pushTemplate();
let target: WebhookTarget | undefined;
let installationId = 1;

process.on("disconnect", () => process.exit());
process.on("message", (message: Message) => void hear(message));
process.send?.({
  kind: "listening",
  github: { ...github, webhookSecrets: [github.webhookSecret] },
});

async function hear(message: Message): Promise<void> {
  if (message.kind === "target") {
    target = message;
    if (message.token !== undefined) installationId = await connect(message.url, message.token);
    process.send?.({ kind: "connected" });
  } else process.send?.({ kind: "done", result: await sendAll(message) });
}

/** Installs the app on an account, as its owner does in a browser. */
async function connect(url: string, token: string): Promise<number> {
  github.setCallbackUrl(`${url}/integrations/callback/github`);
  github.addUser("ana");
  const { login } = github.addOrganization("acme", { ana: "admin" });
  github.addRepository(`${login}/payments`);
  const person = aConnector({ addresses: { http: url } }, token);
  const begun = await person.authorize("github");
  const back = await follow(
    github.approve(begun.url, { login: "ana", account: login }),
    begun.cookie,
  );
  if (back.status !== 303) throw new Error(`Not connected: ${back.status} ${back.text}`);
  const [integration] = await person.integrations();
  return Number(integration?.connector_organization_id);
}

async function sendAll(order: WebhookOrder) {
  const parcels = Array.from({ length: order.events }, (_, event) =>
    aParcel(event % order.repositories),
  );
  const pool = new Pool(target?.url ?? "", { connections: order.window || CONNECTIONS_AT_A_PACE });
  const failed = Promise.withResolvers<never>();
  const under: LoadRun = startRun(order, (event) => {
    post(pool, parcels[event]).then(() => under.end(event), failed.reject);
  });
  try {
    return await Promise.race([under.result, failed.promise]);
  } finally {
    await pool.close();
  }
}

async function post(pool: Pool, parcel: Parcel | undefined): Promise<void> {
  if (!parcel) throw new Error("More was to be sent than was signed.");
  const answer = await pool.request({ path: "/webhooks/github", method: "POST", ...parcel });
  await answer.body.dump();
  if (answer.statusCode >= 300) throw new Error(`A delivery was answered ${answer.statusCode}.`);
}

function aParcel(repository: number): Parcel {
  const guid = randomUUID();
  const text = template
    .replace("INSTALLATION", String(installationId))
    .replace("REPOSITORY", String(186853002 + repository))
    .replace("COMMIT", guid);
  const signature = createHmac("sha256", github.webhookSecret).update(text).digest("hex");
  return {
    headers: {
      "content-type": "application/json",
      "user-agent": "GitHub-Hookshot/0a1b2c3",
      "x-github-delivery": guid,
      "x-github-event": "push",
      "x-github-hook-installation-target-id": github.appId,
      "x-hub-signature-256": `sha256=${signature}`,
    },
    body: Buffer.from(text),
  };
}

/** A push as GitHub published it, with more commits until it has the size, and places to fill in. */
function pushTemplate(): string {
  const push = EVENTS.find(({ name }) => name === "push")?.examples.find(
    ({ commits }) => commits.length > 0,
  );
  if (!push) throw new Error("There is no example of a push with a commit.");
  const { commits, repository } = push;
  const filled = {
    ...push,
    after: "COMMIT",
    installation: { id: "INSTALLATION" },
    repository: { ...repository, id: "REPOSITORY" },
  };
  function textOf(count: number, padding = ""): string {
    const more = Array.from({ length: count }, (_, n) => ({
      ...commits[0],
      message: `#${n}${padding}`,
    }));
    return JSON.stringify({ ...filled, commits: more })
      .replace('"INSTALLATION"', "INSTALLATION")
      .replace('"REPOSITORY"', "REPOSITORY");
  }
  let count = 1;
  while (textOf(count + 1).length < BODY_BYTES) count += 1;
  return textOf(count, "a".repeat(Math.floor((BODY_BYTES - textOf(count).length) / count)));
}
